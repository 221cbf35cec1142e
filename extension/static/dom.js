// Building pages from data without ever parsing it as HTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** el("p", {class: "muted"}, "text", otherNode) */
export const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const svg = (name, attributes, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

export const shape = (label, size = 20) =>
  svg("svg", { "aria-hidden": "true", width: size, height: size, viewBox: "0 0 24 24" },
    svg("use", { href: `/static/shapes.svg#${label}` }));
