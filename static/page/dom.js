// @ts-check
/**
 * Changes of the document: make elements, change them only where they differ, and do it once per frame
 * however many events there were.
 */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Make an element. Properties `on…` are listeners. Others are attributes: `true` makes an empty one, `false`
 * and null make none.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  element.append(...children.filter(isNode));
  return element;
}

/** @param {Child} child @returns {child is Node | string} */
function isNode(child) {
  return child instanceof Node || (typeof child === "string" && child !== "");
}

/**
 * Set an attribute where it differs. `true` makes it empty; `false` and null remove it.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function setAttribute(element, name, value) {
  const wanted = value === true ? "" : value === false ? null : (value?.toString() ?? null);
  if (element.getAttribute(name) === wanted) return;
  if (wanted === null) element.removeAttribute(name);
  else element.setAttribute(name, wanted);
}

/**
 * Set an element's text where it differs. The text node stays, so that screen readers keep their place.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  const [node, ...more] = element.childNodes;
  if (node instanceof Text && more.length === 0) {
    if (node.data !== text) node.data = text;
  } else {
    element.textContent = text;
  }
}

/** @type {Set<() => void>} */
const tasks = new Set();

/**
 * Run a task in the next frame. Called several times before that, it runs once.
 *
 * @param {() => void} task
 */
export function nextFrame(task) {
  if (tasks.size === 0) requestAnimationFrame(runTasks);
  tasks.add(task);
}

function runTasks() {
  const now = [...tasks];
  tasks.clear();
  for (const task of now) task();
}

/**
 * Focus the first of some elements that can have the focus.
 *
 * @param {(HTMLElement | null | undefined)[]} candidates
 */
export function focusFirst(candidates) {
  const target = candidates.find((candidate) => candidate?.isConnected && isShown(candidate));
  target?.focus();
}

/** @param {HTMLElement} element */
function isShown(element) {
  return !element.hidden && !element.closest("[hidden]") && !element.matches(":disabled");
}
