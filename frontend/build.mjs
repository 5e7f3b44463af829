// What browsers get, made from static/ and from the packages of package-lock.json:
//
//   node build.mjs vendor       static/vendor, for a checkout, whose own scripts are served as they are
//   node build.mjs static DIR   DIR, for the wheel: minified, with a compressed file beside each
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGES = join(HERE, "node_modules");
const SOURCES = join(HERE, "..", "static");

/** The files of each package that pages load, by their maker already minified. */
const VENDORED = {
    dropzone: ["dist/min/dropzone.min.js", "dist/min/dropzone.min.css"],
    "hash-wasm": ["dist/md5.umd.min.js", "dist/sha256.umd.min.js"],
};

/** Suffixes of files that esbuild minifies, and the loader that reads them. */
const LOADERS = { ".js": "js", ".css": "css" };

/** Copies the packages' files and licences into a folder, which must not exist. */
async function vendor(folder) {
    await mkdir(folder, { recursive: true });
    const licences = [];
    for (const [name, files] of Object.entries(VENDORED)) {
        for (const file of files)
            await cp(join(PACKAGES, name, file), join(folder, file.split("/").pop()));
        licences.push(`${name}\n\n${await readFile(join(PACKAGES, name, "LICENSE"), "utf8")}\n`);
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

/** Module by module, not bundled: their addresses are what apps import and what pages preload. */
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
    for (const name of await ownFiles(SOURCES)) {
        await mkdir(join(folder, dirname(name)), { recursive: true });
        await writeFile(join(folder, name), await minify(name));
    }
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath ?? entry.path, entry.name);
        await writeFile(`${path}.gz`, gzipSync(await readFile(path), { level: 9 }));
    }
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
