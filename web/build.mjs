// Bundles the browser code and the styles into the folder that Django serves.
import { build } from "esbuild";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here("../src/haechi/server/config/static/haechi/");

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  entryPoints: {
    public: here("src/public.ts"),
    desk: here("src/desk.ts"),
    work: here("src/work-worker.ts"),
    // Loaded by the page only when a fingerprint is to be made.
    fingerprint: here("src/fingerprint/worker.ts"),
    // A worker of the report page.
    sealing: here("src/sealing.ts"),
    // The page that looks at somebody live, and its worker with two small networks.
    live: here("src/live.ts"),
    "live-worker": here("src/live/worker.ts"),
    haechi: here("styles/haechi.css"),
  },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  charset: "utf8",
  legalComments: "none",
  // Telephones of the last five years, and older ones that a family hands down.
  target: ["chrome92", "firefox91", "safari15"],
  loader: { ".svg": "file", ".bin": "binary" },
  assetNames: "icons/[name]",
  logLevel: "warning",
});
await copyFile(here("styles/icons/page.svg"), `${out}page.svg`);
