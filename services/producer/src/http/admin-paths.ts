// The paths for operators, which ADMIN_PORT moves to a port of their own.

/** Health, metrics, the API's page and document, the schemas of CALLERS_FILE and ROUTES_FILE, and the page at the root. */
function isAdminPath(path: string): boolean {
  return (
    path === "/" ||
    path === "/metrics" ||
    path.startsWith("/health/") ||
    path === "/openapi" ||
    path.startsWith("/openapi/") ||
    path === "/callers.schema.json" ||
    path === "/routes.schema.json"
  );
}

/** What a port serves. Explanations of problems are on both: a problem's `type` is a path on the port that it came from. */
export const portPaths = {
  public: (path: string) => !isAdminPath(path),
  admin: (path: string) => isAdminPath(path) || path.startsWith("/problems/"),
};
