// @tus/server as its documentation starts it: node server.mjs PORT DIRECTORY WORKERS
import cluster from "node:cluster";

import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [port, directory, workers] = process.argv.slice(2);

if (cluster.isPrimary && Number(workers) > 1) {
    for (let i = 0; i < Number(workers); i++) cluster.fork();
} else {
    const server = new Server({ path: "/files", datastore: new FileStore({ directory }) });
    server.listen({ host: "127.0.0.1", port: Number(port) });
}
