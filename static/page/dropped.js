// @ts-check
/** The files of a drop, including those in folders of any depth and size. */

/** @typedef {import("./picker.js").Picked} Picked */

/**
 * Return the files of a drop. Call it while the event is being handled: the browser empties the data
 * afterwards.
 *
 * @param {DataTransfer} data
 * @returns {Promise<Picked[]>}
 */
export async function droppedFiles(data) {
  const items = [...data.items].filter(({ kind }) => kind === "file").map(openItem);
  const found = await Promise.all(items.map(readItem));
  return found.flat();
}

/** @typedef {{entry: FileSystemEntry | null, file: File | null, handle: Promise<any>}} Item */

/** @param {DataTransferItem} item @returns {Item} */
function openItem(item) {
  const entry = item.webkitGetAsEntry?.() ?? null;
  // Not for folders, whose files are found without it: for some of them Chromium shows a warning.
  const asked = entry?.isDirectory ? null : /** @type {any} */ (item).getAsFileSystemHandle?.();
  // A handle is optional: without one the file is chosen again after a reload.
  const handle = Promise.resolve(asked ?? null).catch(() => null);
  return { entry, file: item.getAsFile(), handle };
}

/** @param {Item} item @returns {Promise<Picked[]>} */
async function readItem({ entry, file, handle }) {
  if (entry?.isDirectory) return readFolder(/** @type {FileSystemDirectoryEntry} */ (entry));
  return file ? [{ file, handle: fileHandle(await handle) }] : [];
}

/** @param {any} handle @returns {FileSystemFileHandle | null} */
function fileHandle(handle) {
  return handle?.kind === "file" ? handle : null;
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<Picked[]>} */
async function readFolder(folder) {
  /** @type {Picked[]} */
  const found = [];
  const reader = folder.createReader();
  // A reader returns some entries at a time, and none at the end.
  for (;;) {
    const entries = await readSome(reader);
    if (entries.length === 0) return found;
    for (const entry of entries) found.push(...(await readEntry(entry)));
  }
}

/** @param {FileSystemDirectoryReader} reader @returns {Promise<FileSystemEntry[]>} */
function readSome(reader) {
  return new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
}

/** @param {FileSystemEntry} entry @returns {Promise<Picked[]>} */
async function readEntry(entry) {
  if (entry.isDirectory) return readFolder(/** @type {FileSystemDirectoryEntry} */ (entry));
  const file = await openFile(/** @type {FileSystemFileEntry} */ (entry));
  return file ? [{ file, path: entry.fullPath.replace(/^\//, "") }] : [];
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File | null>} */
function openFile(entry) {
  return new Promise((resolve) => entry.file(resolve, () => resolve(null)));
}
