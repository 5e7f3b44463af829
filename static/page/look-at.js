// @ts-check
/** Lets the browser look at files that were chosen, before anything else asks for their sizes. */

/** Milliseconds for which files are looked at before the page may draw and listen. */
const WITHOUT_BREATH = 30;

/**
 * Ask for each file's size. A browser looks at a chosen file when its size is asked for the first time, and the page
 * stands still meanwhile: of thousands, for seconds.
 *
 * @param {File[]} files
 * @returns {Promise<void>}
 */
export async function lookAt(files) {
  let since = performance.now();
  for (const file of files) {
    void file.size;
    if (performance.now() - since < WITHOUT_BREATH) continue;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  }
}
