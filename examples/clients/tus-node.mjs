#!/usr/bin/env node
// Upload a file with tus-js-client in Node: npm install tus-js-client, then
//
//   node tus-node.mjs FILE [URL]            if it was ended, run it again: it resumes
//   producer | node tus-node.mjs - [URL]    a stream, whose length is told when it ends
import { createReadStream, existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import * as tus from "tus-js-client";

const [path, endpoint = "http://127.0.0.1:8000/uploads/tus/"] = process.argv.slice(2);
const { CHUNK = path === "-" ? 8 * 2 ** 20 : Infinity, PARALLEL = 1 } = process.env;

/** Notes unfinished uploads. The library's FileUrlStorage fails for seconds after it was killed as it wrote. */
class Notes {
    #file = ".tus-js-client.json";
    #read = () => (existsSync(this.#file) ? JSON.parse(readFileSync(this.#file, "utf8")) : {});

    #write(known) {
        writeFileSync(`${this.#file}.new`, JSON.stringify(known));
        renameSync(`${this.#file}.new`, this.#file);
    }

    async findUploadsByFingerprint(fingerprint) {
        const found = this.#read()[fingerprint];
        return found ? [{ ...found, urlStorageKey: fingerprint }] : [];
    }

    async addUpload(fingerprint, upload) {
        this.#write({ ...this.#read(), [fingerprint]: upload });
        return fingerprint;
    }

    async removeUpload(fingerprint) {
        this.#write({ ...this.#read(), [fingerprint]: undefined });
    }
}

const isStream = path === "-";
const canBeSplit = !isStream && statSync(path).size >= PARALLEL;
const upload = new tus.Upload(isStream ? process.stdin : createReadStream(path), {
    endpoint,
    chunkSize: Number(CHUNK), // bytes; of a stream, a chunk is held in memory
    parallelUploads: canBeSplit ? Number(PARALLEL) : 1,
    uploadLengthDeferred: isStream,
    retryDelays: [0, 1000, 3000, 5000, 10000],
    urlStorage: new Notes(),
    storeFingerprintForResuming: !isStream,
    removeFingerprintOnSuccess: true, // else the same file cannot be uploaded a second time
    metadata: { filename: isStream ? "stream.bin" : basename(path) },
    onSuccess() {
        console.log(upload.url);
        process.exitCode = 0;
    },
    onError: (error) => console.error(error.message),
});
process.exitCode = 1; // until it is done: a stream that ends with a chunk leaves the library waiting

const [previous] = isStream ? [] : await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
