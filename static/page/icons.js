// @ts-check
/** Icons as paths in a 24×24 box, drawn as strokes in the text's colour. */

const PATHS = {
  upload: "M12 15.5V4m-5 5 5-5 5 5M4 16v3a1.5 1.5 0 0 0 1.5 1.5h13A1.5 1.5 0 0 0 20 19v-3",
  folder:
    "M3.5 18V6A1.5 1.5 0 0 1 5 4.5h4l2 2.5h8A1.5 1.5 0 0 1 20.5 8.5V18a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 18Z",
  file: "M6 20.5h12a1 1 0 0 0 1-1V8.5l-5-5H6a1 1 0 0 0-1 1v15a1 1 0 0 0 1 1ZM14 3.5v5h5",
  pause: "M9 5.5v13M15 5.5v13",
  resume: "M8 5.5v13l10.5-6.5Z",
  fold: "m7 10 5 5 5-5",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.4-5.5L19.5 8.5m0-5v5h-5",
  close: "m6.5 6.5 11 11m0-11-11 11",
  delete:
    "M4.5 6.5h15M9.5 6.5V4.5h5v2m3 0-.8 12.5a1.5 1.5 0 0 1-1.5 1.4H8.8A1.5 1.5 0 0 1 7.3 19L6.5 6.5m3.5 4v6m4-6v6",
  download: "M12 4v11.5m-5-5 5 5 5-5M4.5 20h15",
  copy: "M9 9h10.5v10.5H9ZM15 9V4.5H4.5V15H9",
  check: "m5 12.5 4.5 4.5L19 7.5",
  picture: "M4 5.5h16v13H4Zm0 10 4.5-4.5 4 4 2.5-2.5 5 5M15.5 9.5h.01",
  video: "M3.5 6.5h11.5v11H3.5Zm11.5 4 5.5-3v9l-5.5-3",
  audio:
    "M9 17V6l10-2v11M9 17a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Zm10-2a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z",
  archive: "M4 8.5h16V20H4ZM3 4.5h18v4H3Zm7 8h4",
  text: "M6 3.5h12v17H6ZM9 8h6M9 12h6m-6 4h4",
  table: "M4 5.5h16v13H4Zm0 4.5h16M4 14h16M10 5.5v13",
  code: "m8.5 7-5 5 5 5m7-10 5 5-5 5",
  share:
    "M8.8 10.7l6.4-3.4m-6.4 6 6.4 3.4M8.5 12a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Zm12-6a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Zm0 12a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z",
  key: "M14.5 13.5a5 5 0 1 0-4-4L4 16v4h4v-2.5h2.5V15ZM16 8h.01",
};

/** @typedef {keyof typeof PATHS} IconName */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an icon. It is decoration: the text beside it or its button's label says what it means.
 *
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "cu-icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  setIcon(svg, name);
  return svg;
}

/**
 * Turn an icon into another.
 *
 * @param {SVGSVGElement} svg
 * @param {IconName} name
 */
export function setIcon(svg, name) {
  if (svg.dataset.icon === name) return;
  svg.dataset.icon = name;
  svg.firstElementChild?.setAttribute("d", PATHS[name]);
}
