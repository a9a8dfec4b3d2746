// The Chromium of this machine, without a window.
import puppeteer, { type Browser } from "puppeteer-core";

/** @throws Error when no Chromium is on the PATH */
export async function launchChromium(): Promise<Browser> {
  const executablePath = Bun.which("chromium") ?? Bun.which("chromium-browser") ?? Bun.which("google-chrome");
  if (!executablePath) throw new Error("Chromium was not found on the PATH");
  // Chromium's sandbox does not work for root, nor in containers.
  return puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}
