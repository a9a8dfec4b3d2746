// The public names that this package's headers declare, read from the headers themselves.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageDir } from "../../build/paths.ts";

const publicNamespaces = ["Nan", "v8", "node"];

/** Macros that NAN and Node define, as opposed to this package's own. */
const publicMacro = /^(NAN_|NAUV_|NODE_)/;

function withoutCommentsAndLiterals(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/.*$/gm, "")
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/'(?:[^'\\]|\\.)*'/g, "''");
}

function macros(source: string): string[] {
  return [...source.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)/gm)]
    .map(([, name]) => name!)
    .filter((name) => publicMacro.test(name));
}

interface Scope {
  kind: "namespace" | "class" | "body";
  name: string;
  isPublic: boolean;
}

/** The name that a declaration declares; undefined for what declares none of its own. */
function declaredName(declaration: string): string | undefined {
  const text = declaration.replace(/\s+/g, " ").trim();
  if (text === "" || /^(friend|static_assert|using namespace)\b/.test(text)) return undefined;
  // A specialisation, or a member defined outside its class, was declared elsewhere.
  if (/^template ?<>/.test(text)) return undefined;
  if (/= ?delete$/.test(text)) return undefined;
  // An inherited constructor: `using Base::Base`.
  if (/^using (\w+)::\1$/.test(text)) return undefined;
  const using = /^using (?:(\w+) =|(?:\w+::)*(\w+)$)/.exec(text);
  if (using) return using[1] ?? using[2];
  const operator = /\boperator ?(bool|delete|\(\)|\[\]|->|==|=|\*)/.exec(text);
  if (operator) return `operator${/^\w/.test(operator[1]!) ? ` ${operator[1]}` : operator[1]}`;
  const unparenthesized = text
    .replace(/^template ?<[^{]*?> (?=[\w:])/, "")
    .replace(/^typedef .*\(\*(\w+)\).*$/, "$1");
  const typedef = /^typedef .* (\w+)$/.exec(text);
  if (typedef) return typedef[1];
  const callable = /(~?\w+(?:::~?\w+)*) ?\(/.exec(unparenthesized);
  if (callable) return callable[1]!.includes("::") ? undefined : callable[1];
  return /(\w+)(?: ?=.*)?$/.exec(unparenthesized.replace(/\{\}$/, ""))?.[1];
}

/** Walks one header and adds what it declares for others to use. */
function collect(source: string, names: Set<string>): void {
  const text = withoutCommentsAndLiterals(source.replace(/\\\n/g, " ")).replace(/^[ \t]*#.*$/gm, "");
  const scopes: Scope[] = [];
  let pending = "";

  const prefix = (): string => scopes.map(({ name }) => name).join("::");
  const isVisible = (): boolean =>
    scopes.every(({ kind, isPublic }) => kind !== "body" && isPublic) &&
    (scopes.length === 0 ||
      scopes[0]!.kind !== "namespace" ||
      publicNamespaces.includes(scopes[0]!.name.split("::", 1)[0]!));
  const add = (name: string | undefined): void => {
    if (name === undefined || !isVisible()) return;
    const owner = scopes.at(-1);
    if (owner?.kind === "class" && (name === owner.name || name === `~${owner.name}`)) return;
    // Outside all namespaces only libuv's names are public.
    if (scopes.length === 0 ? name.startsWith("uv_") : true)
      names.add([prefix(), name].filter(Boolean).join("::"));
  };

  for (const part of text.split(/([{};]|\b(?:public|private|protected) ?:(?!:))/)) {
    if (/^(public|private|protected) ?:$/.test(part)) {
      const owner = scopes.at(-1);
      if (owner?.kind === "class") owner.isPublic = part !== "private:" && part !== "private :";
      pending = "";
    } else if (part === "{") {
      const head = pending.replace(/\s+/g, " ").trim();
      const namespace = /^(?:inline )?namespace ([\w:]*)$/.exec(head);
      const type = /(?:^|> )(?:class|struct|enum) (\w+)(?: final)?(?: ?: ?.*)?$/.exec(head);
      if (namespace) {
        scopes.push({ kind: "namespace", name: namespace[1]!, isPublic: namespace[1] !== "" });
      } else if (type && !head.includes("(")) {
        // A specialisation `template <> class Local<String> {` has no plain name and counts as a body's head.
        add(type[1]);
        scopes.push({ kind: "class", name: type[1]!, isPublic: !/(?:^|> )class /.test(head) });
      } else if (/^template ?<>/.test(head) || head === "") {
        scopes.push({ kind: "body", name: "", isPublic: false });
      } else {
        add(declaredName(head.replace(/\) ?:.*$/, ")")));
        scopes.push({ kind: "body", name: "", isPublic: false });
      }
      pending = "";
    } else if (part === "}") {
      const enumerator = pending.trim();
      if (scopes.at(-1)?.kind === "class" && /^\w+$/.test(enumerator)) add(enumerator);
      scopes.pop();
      pending = "";
    } else if (part === ";") {
      // `class String;` is a forward declaration; `} name;` was handled with its brace.
      if (!/^\s*(?:template ?<[^>]*>\s*)?(?:class|struct) \w+\s*$/.test(pending)) add(declaredName(pending));
      pending = "";
    } else {
      pending += part;
    }
  }
}

/** All public names, sorted: `Nan::Set`, `v8::Local::As`, `uv_async_send`, `NAN_METHOD` … */
export function declaredNames(): string[] {
  const dir = join(packageDir, "include");
  const names = new Set<string>();
  for (const file of readdirSync(dir, { recursive: true }).map(String)) {
    if (!file.endsWith(".h")) continue;
    const source = readFileSync(join(dir, file), "utf8");
    for (const name of macros(source)) names.add(name);
    collect(source, names);
  }
  return [...names].sort();
}
