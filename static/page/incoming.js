// @ts-check
/** Files that come from outside of the page: dropped anywhere on it, or pasted. */

/**
 * Listen for files.
 *
 * @param {object} parts
 * @param {(dragging: boolean) => void} parts.onDragging Called when files are dragged over the page, or no longer.
 * @param {(data: DataTransfer) => void} parts.onFiles
 */
export function listenForFiles({ onDragging, onFiles }) {
  window.addEventListener("dragover", (event) => {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    onDragging(true);
  });
  window.addEventListener("dragleave", (event) => {
    // No related target: the drag left the window, or was canceled.
    if (event.relatedTarget === null) onDragging(false);
  });
  window.addEventListener("drop", (event) => {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    onDragging(false);
    onFiles(/** @type {DataTransfer} */ (event.dataTransfer));
  });
  window.addEventListener("paste", (event) => {
    const isElsewhere = event.target instanceof Element && event.target.matches("input, textarea");
    if (isElsewhere || !carriesFiles(event.clipboardData)) return;
    event.preventDefault();
    onFiles(/** @type {DataTransfer} */ (event.clipboardData));
  });
}

/** @param {DataTransfer | null} data */
function carriesFiles(data) {
  return data?.types.includes("Files") ?? false;
}
