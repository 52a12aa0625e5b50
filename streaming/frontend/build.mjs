// Puts the page together: `src/main.js` and the worker as modules, the styles as one file, into `dist/`.

import { readFile, rm } from "node:fs/promises";
import { basename } from "node:path";
import { build } from "esbuild";

/** KaTeX names each font in three formats; every browser that runs the page reads the first. */
const oneFontFormat = {
  name: "one-font-format",
  setup({ onLoad }) {
    onLoad({ filter: /katex[\w.]*\.css$/ }, async ({ path }) => {
      const css = await readFile(path, "utf8");
      return { contents: css.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\("\w+"\)/g, ""), loader: "css" };
    });
  },
};

const options = {
  absWorkingDir: import.meta.dirname,
  outdir: "dist",
  bundle: true,
  target: "es2022",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
};

const modules = {
  ...options,
  format: "esm",
  splitting: true, // what is imported when it is needed comes as a file of its own
  chunkNames: "[name]-[hash]",
};

await rm(new URL("dist", import.meta.url), { recursive: true, force: true });
const { metafile } = await build({ ...modules, entryPoints: ["src/setting.js"], entryNames: "[name]-[hash]", metafile: true });
const setting = Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint === "src/setting.js");

/** Built apart: a file that both needed would be one more round trip before the first words. */
const apart = {
  name: "apart",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/setting\.js$/ }, () => ({ path: `./${basename(setting)}`, external: true }));
  },
};

await Promise.all([
  build({
    ...modules,
    entryPoints: [{ in: "src/main.js", out: "page" }, { in: "styles/index.css", out: "page" }],
    assetNames: "fonts/[name]",
    loader: { ".woff2": "file" },
    plugins: [oneFontFormat, apart],
  }),
  build({ ...options, entryPoints: ["src/worker.js"], format: "iife" }), // not every browser has module workers
]);
