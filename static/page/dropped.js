// @ts-check
/** The files of a drop or of the clipboard, including those in folders of any depth and size. */

/** @typedef {import("./picker.js").Picked} Picked */

/**
 * What was found so far.
 *
 * @typedef {{picked: Picked[], emptyFolders: string[]}} Found
 */

/** What browsers and phones call every picture that has no name of its own. */
const NAMELESS = /^image(\.\w+)$/;

/**
 * Return the files of a drop. Call it while the event is being handled: the browser empties the data
 * afterwards.
 *
 * @param {DataTransfer} data
 * @param {(count: number) => void} [onFound] Called with the number of files while folders are read.
 * @returns {Promise<Found>}
 */
export async function droppedFiles(data, onFound = () => {}) {
  const items = [...data.items].filter(({ kind }) => kind === "file").map(openItem);
  /** @type {Found} */
  const found = { picked: [], emptyFolders: [] };
  for (const item of items) await readItem(item, found, () => onFound(found.picked.length));
  return found;
}

/**
 * Return a file with a name that tells it from others: a pasted picture and a photo are called `image.png` each time.
 *
 * @param {File} file
 * @returns {File}
 */
export function named(file) {
  const suffix = NAMELESS.exec(file.name)?.[1];
  if (!suffix) return file;
  const time = new Date(file.lastModified).toISOString().slice(0, 19);
  const name = `image ${time.replace("T", " ").replaceAll(":", "-")}${suffix}`;
  return new File([file], name, { type: file.type, lastModified: file.lastModified });
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

/** @param {Item} item @param {Found} found @param {() => void} onFound */
async function readItem({ entry, file, handle }, found, onFound) {
  if (entry?.isDirectory) {
    await readFolder(/** @type {FileSystemDirectoryEntry} */ (entry), found, onFound);
  } else if (file) {
    found.picked.push({ file: named(file), handle: fileHandle(await handle) });
  }
}

/** @param {any} handle @returns {FileSystemFileHandle | null} */
function fileHandle(handle) {
  return handle?.kind === "file" ? handle : null;
}

/** @param {FileSystemDirectoryEntry} folder @param {Found} found @param {() => void} onFound */
async function readFolder(folder, found, onFound) {
  const reader = folder.createReader();
  let isEmpty = true;
  // A reader returns some entries at a time, and none at the end.
  for (;;) {
    const entries = await readSome(reader);
    if (entries.length === 0) break;
    isEmpty = false;
    const files = entries.filter(({ isFile }) => isFile);
    const opened = await Promise.all(files.map(openFile));
    found.picked.push(...opened.flatMap((one) => one ?? []));
    onFound();
    for (const entry of entries) {
      if (entry.isDirectory) {
        await readFolder(/** @type {FileSystemDirectoryEntry} */ (entry), found, onFound);
      }
    }
  }
  if (isEmpty) found.emptyFolders.push(folder.fullPath.replace(/^\//, ""));
}

/** @param {FileSystemDirectoryReader} reader @returns {Promise<FileSystemEntry[]>} */
function readSome(reader) {
  return new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
}

/** @param {FileSystemEntry} entry @returns {Promise<Picked | null>} */
function openFile(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  return new Promise((resolve) => {
    const opened = (/** @type {File} */ file) => resolve({ file, path });
    /** @type {FileSystemFileEntry} */ (entry).file(opened, () => resolve(null));
  });
}
