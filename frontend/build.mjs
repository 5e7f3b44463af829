// What browsers get, made from static/ and from the packages of package-lock.json:
//
//   node build.mjs vendor       static/vendor, for a checkout, whose own scripts are served as they are
//   node build.mjs static DIR   DIR, for the wheel: bundled, minified, with compressed files beside each, and
//                               version.txt, a hash of all of them
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGES = join(HERE, "node_modules");
const SOURCES = join(HERE, "..", "static");

/** The files of each package that pages load, by their maker already minified. */
const VENDORED = {
    dropzone: ["dist/min/dropzone.min.js", "dist/min/dropzone.min.css"],
    "hash-wasm": ["dist/md5.umd.min.js", "dist/sha256.umd.min.js"],
    "swagger-ui-dist": ["swagger-ui-bundle.js", "swagger-ui.css"],
};

/** The files with a package's terms, where there are more than its LICENSE: those of what is bundled in it. */
const TERMS = { "swagger-ui-dist": ["LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"] };

/** The modules and styles that pages and apps name; all others are bundled into these. */
const ENTRIES = [
    "chunked-upload.js",
    "chunked-upload-dropzone.js",
    "chunked-upload-dropzone/zone.js", // two import it, so it goes into a chunk: see bundle()
    "page/main.js",
    "page/page.js",
    "page.css",
];

/** Bundled apart: what the two pages share would else be split into more files, all of which each page loads. */
const ADMIN = ["admin/main.js", "admin.css"];

/** One file for each language, of which a page loads one. They keep their names: the page's document names them. */
const TEXTS = "page/texts";

/** Suffixes of files that esbuild minifies, and the loader that reads them. */
const LOADERS = { ".js": "js", ".css": "css" };

/** Copies the packages' files and licences into a folder, which must not exist. */
async function vendor(folder) {
    await mkdir(folder, { recursive: true });
    const licences = [];
    for (const [name, files] of Object.entries(VENDORED)) {
        for (const file of files)
            await cp(join(PACKAGES, name, file), join(folder, file.split("/").pop()));
        const terms = (TERMS[name] ?? ["LICENSE"]).map((file) => join(PACKAGES, name, file));
        const texts = await Promise.all(terms.map((path) => readFile(path, "utf8")));
        licences.push(`${name}\n\n${texts.join("\n")}\n`);
    }
    await writeFile(join(folder, "LICENSES.txt"), licences.join("")); // last: make looks at its time
}

/** Lists a folder's files, relative to it, without what npm brought and hidden ones. */
async function ownFiles(folder) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
        .filter(
            (name) =>
                !name.startsWith("vendor/") && !name.split("/").some((part) => part[0] === "."),
        );
}

/**
 * Writes the entries, and into `chunks/` what several of them share, so that a page which imports two
 * has one copy. That folder is as deep as those of the modules that load `md5-worker.js` and `vendor/` by
 * their own address. Resolves to the sources that are in there, whose own files nobody needs any more.
 */
async function bundle(folder, entryPoints) {
    const { metafile } = await build({
        absWorkingDir: SOURCES,
        entryPoints,
        outdir: folder,
        outbase: SOURCES,
        bundle: true,
        splitting: true,
        chunkNames: "chunks/[name]-[hash]",
        format: "esm",
        charset: "utf8", // modules always are; escaped, Arabic would be three times as long
        minify: true,
        legalComments: "none",
        metafile: true,
    });
    return Object.keys(metafile.inputs);
}

async function minify(name) {
    const source = await readFile(join(SOURCES, name));
    const loader = LOADERS[extname(name)];
    if (!loader) return source;
    const options = { loader, sourcefile: name, minify: true, legalComments: "none" };
    return (await transform(source, options)).code;
}

/** Makes the folder that the wheel ships, which must not exist. */
async function buildStatic(folder) {
    await vendor(join(folder, "vendor"));
    const texts = (await readdir(join(SOURCES, TEXTS))).map((name) => `${TEXTS}/${name}`);
    const bundled = new Set([
        ...(await bundle(folder, [...ENTRIES, ...texts])),
        ...(await bundle(folder, ADMIN)),
    ]);
    for (const name of await ownFiles(SOURCES)) {
        if (bundled.has(name)) continue;
        await mkdir(join(folder, dirname(name)), { recursive: true });
        await writeFile(join(folder, name), await minify(name));
    }
    await compress(folder);
}

/** Writes compressed copies, and the version: browsers keep files whose address has it, and ask for no others. */
async function compress(folder) {
    const version = createHash("sha256");
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const paths = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
    for (const path of paths.sort()) {
        const content = await readFile(path);
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
        await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }));
        await writeFile(`${path}.br`, brotliCompressSync(content, { params })); // at its best by default
        version.update(`${path.slice(folder.length)}\0${content.length}\0`).update(content);
    }
    await writeFile(join(folder, "version.txt"), version.digest("hex").slice(0, 12));
}

const [command, folder] = process.argv.slice(2);
if (command === "vendor") {
    await rm(join(SOURCES, "vendor"), { recursive: true, force: true });
    await vendor(join(SOURCES, "vendor"));
} else if (command === "static" && folder) {
    await buildStatic(folder);
} else {
    console.error("usage: node build.mjs vendor | static DIR");
    process.exit(2);
}
