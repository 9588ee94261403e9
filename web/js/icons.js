/** Line icons on a 24x24 grid, drawn for this client. */

const SVG = "http://www.w3.org/2000/svg";

/** @type {Record<string, string[]>} paths; stroked unless they start with "fill:" */
const PATHS = {
  microphone: ["M12 3.5a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0v-5a3 3 0 0 0-3-3z", "M5.5 11.5a6.5 6.5 0 0 0 13 0", "M12 18v3"],
  "microphone-off": [
    "M9 9.5v2a3 3 0 0 0 4.6 2.5", "M15 10V6.5a3 3 0 0 0-5.7-1.3", "M5.5 11.5a6.5 6.5 0 0 0 10.2 5.3",
    "M18.5 11.5a6.4 6.4 0 0 1-.6 2.7", "M12 18v3", "M4 4l16 16",
  ],
  camera: ["M4.5 6.5h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2z", "M15.5 10.5l6-3.5v10l-6-3.5"],
  "camera-off": [
    "M9.5 6.5h4a2 2 0 0 1 2 2v4", "M15.4 16.2a2 2 0 0 1-1.9 1.3h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.7-2",
    "M15.5 10.5l6-3.5v10l-3.5-2", "M4 4l16 16",
  ],
  settings: ["M4 7h9", "M17 7h3", "M4 17h3", "M11 17h9", "M15 5a2 2 0 1 0 0 4a2 2 0 1 0 0-4z", "M9 15a2 2 0 1 0 0 4a2 2 0 1 0 0-4z"],
  record: ["M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17z", "fill:M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8z"],
  stop: ["M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17z", "fill:M9 9h6v6h-6z"],
  link: ["M10 14a4.2 4.2 0 0 0 6 0l3-3a4.2 4.2 0 0 0-6-6l-1 1", "M14 10a4.2 4.2 0 0 0-6 0l-3 3a4.2 4.2 0 0 0 6 6l1-1"],
  people: [
    "M9 4.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7z", "M2.5 19.5c0-3.6 2.9-5.5 6.5-5.5s6.5 1.9 6.5 5.5",
    "M15.5 5a3.5 3.5 0 0 1 0 6.3", "M18 14.6c2.2.8 3.5 2.4 3.5 4.9",
  ],
  help: ["M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17z", "M9.5 9.5a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.1.9-1.1 1.7", "M12 16.5v.1"],
  leave: ["M3.3 14.3c-1.1-1.1-.8-3 .5-3.9c4.7-3.2 11.7-3.2 16.4 0c1.3.9 1.6 2.8.5 3.9l-.7.7c-.4.4-1.1.5-1.6.1l-2.3-1.5c-.4-.3-.6-.7-.6-1.2v-1.3c-2.3-.7-4.7-.7-7 0v1.3c0 .5-.2.9-.6 1.2l-2.3 1.5c-.5.4-1.2.3-1.6-.1z"],
  language: ["M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17z", "M3.5 12h17", "M12 3.5c5 5 5 12 0 17", "M12 3.5c-5 5-5 12 0 17"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  copy: ["M9 9h9a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5h-9a1.5 1.5 0 0 1-1.5-1.5v-8a1.5 1.5 0 0 1 1.5-1.5z", "M4.5 15V5.5a1.5 1.5 0 0 1 1.5-1.5h8.5"],
  sound: ["M4 9.5h3.5l4.5-4v13l-4.5-4H4z", "M15.5 9a4 4 0 0 1 0 6", "M18 6.5a7.5 7.5 0 0 1 0 11"],
  "sound-off": ["M4 9.5h3.5l4.5-4v13l-4.5-4H4z", "M16 9.5l5 5", "M21 9.5l-5 5"],
  warning: ["M12 4L2.5 20h19z", "M12 10v4.5", "M12 17.2v.1"],
  info: ["M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17z", "M12 11v5", "M12 8v.1"],
  play: ["fill:M8 5.5v13l11-6.5z"],
  pause: ["fill:M7 5.5h3.5v13H7z", "fill:M13.5 5.5H17v13h-3.5z"],
  fullscreen: ["M4 9V4h5", "M20 9V4h-5", "M4 15v5h5", "M20 15v5h-5"],
  "fullscreen-exit": ["M9 4v5H4", "M15 4v5h5", "M9 20v-5H4", "M15 20v-5h5"],
  download: ["M12 4v11", "M7.5 11l4.5 4.5L16.5 11", "M4.5 19.5h15"],
  trash: ["M4.5 7h15", "M9.5 7V4.5h5V7", "M6.5 7l1 12.5h9l1-12.5", "M10.2 10.5v5.5", "M13.8 10.5v5.5"],
  search: ["M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13z", "M15.5 15.5L20.5 20.5"],
  again: ["M19.5 12a7.5 7.5 0 1 1-2.3-5.4", "M19.8 3v4.5h-4.5"],
  pin: ["M9 4h6", "M10 4v5l-3 4h10l-3-4V4", "M12 13v7"],
  film: ["M4 5h16v14H4z", "M8 5v14", "M16 5v14", "M4 9.5h4", "M4 14.5h4", "M16 9.5h4", "M16 14.5h4"],
  file: ["M6 3.5h8l4 4v13H6z", "M14 3.5v4h4"],
  clock: ["M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17z", "M12 7.5V12l3 2"],
  chevron: ["M6 9.5l6 6 6-6"],
  back: ["M14.5 5.5L8 12l6.5 6.5"],
  plus: ["M12 5v14", "M5 12h14"],
  key: ["M8 11.5a4 4 0 1 0 0 8a4 4 0 1 0 0-8z", "M11 12.7L20 4", "M16.5 7.5l3 3"],
  more: ["fill:M5 10.4a1.6 1.6 0 1 0 0 3.2a1.6 1.6 0 1 0 0-3.2z", "fill:M12 10.4a1.6 1.6 0 1 0 0 3.2a1.6 1.6 0 1 0 0-3.2z", "fill:M19 10.4a1.6 1.6 0 1 0 0 3.2a1.6 1.6 0 1 0 0-3.2z"],
};

/** A decorative icon: whatever holds it carries the label. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const path of PATHS[name] ?? []) {
    const shape = document.createElementNS(SVG, "path");
    shape.setAttribute("d", path.replace("fill:", ""));
    if (path.startsWith("fill:")) shape.setAttribute("class", "solid");
    svg.append(shape);
  }
  return svg;
}
