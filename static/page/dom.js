// @ts-check
/**
 * The few things this page does to the document: make elements, change them only where they differ, and
 * do it once a frame however many events came in between.
 */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Make an element. `on…` properties are listeners, `true` is an empty attribute, `false` and null are
 * none; everything else is an attribute's text.
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
 * Set an attribute where it differs; `true` is an empty one, `false` and null remove it.
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
 * Set an element's text where it differs, keeping its text node: a screen reader's place in it stays.
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
 * Run a task with the next frame; asked several times before, it runs once.
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
 * Give the focus to the first of some elements that can take it.
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
