import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Hono } from "hono";

const FOLDER = fileURLToPath(new URL("browser/", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/**
 * Serves a page of ours at /, the chat by default: our own modules, and preact and htm as published. No build,
 * nothing from the network.
 */
export function mountPage(app: Hono, page: "index.html" | "panel.html" = "index.html"): void {
  const require = createRequire(import.meta.url);
  const vendor = new Map([
    ["preact.mjs", require.resolve("preact")],
    ["hooks.mjs", require.resolve("preact/hooks")],
    // The package's "require" entry is CommonJS; the module for browsers lies beside it.
    ["htm.mjs", join(dirname(require.resolve("htm")), "htm.module.js")],
  ]);
  const files = new Set(readdirSync(FOLDER));
  const html = readFileSync(join(FOLDER, page), "utf8");
  const importMap = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(importMap).digest("base64");
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

  app.get("/", (context) =>
    context.html(html, 200, { "Content-Security-Policy": policy, "Cache-Control": "no-cache" }),
  );
  app.get("/favicon.ico", (context) => context.body(null, 204));
  app.get("/page/:file", (context) => {
    const { file } = context.req.param();
    const type = TYPES[extname(file)];
    if (type === undefined || !files.has(file)) return context.notFound();
    return context.body(readFileSync(join(FOLDER, file), "utf8"), 200, {
      "Content-Type": `${type}; charset=utf-8`,
      "Cache-Control": "no-cache",
    });
  });
  app.get("/vendor/:file", (context) => {
    const path = vendor.get(context.req.param("file"));
    if (path === undefined) return context.notFound();
    return context.body(readFileSync(path, "utf8"), 200, {
      "Content-Type": "text/javascript; charset=utf-8",
      "Cache-Control": "max-age=3600",
    });
  });
}
