// Makes the page's parts from data. Every text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A face for an id: the same id has the same one everywhere, and no two neighbours look alike.
export function avatar(id, size) {
  let seed = 2166136261;
  for (const character of id) seed = Math.imul(seed ^ character.charCodeAt(0), 16777619) >>> 0;
  for (const factor of [2246822507, 3266489909]) seed = Math.imul(seed ^ (seed >>> 15), factor) >>> 0;
  const next = (most) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 4294967296) * most);
  };
  const hue = next(360);
  const colours = [`hsl(${hue} 42% 40%)`, `hsl(${(hue + 38) % 360} 58% 64%)`, `hsl(${(hue + 185) % 360} 48% 76%)`];
  const drawing = shape("svg", { viewBox: "0 0 40 40", width: size, height: size, class: "avatar", "aria-hidden": "true" });
  const turn = next(8) * 45;
  drawing.append(
    shape("rect", { width: 40, height: 40, fill: colours[0] }),
    shape("rect", { x: 20, y: -10, width: 40, height: 60, fill: colours[1], transform: `rotate(${turn} 20 20)` }),
    shape("circle", { cx: 13 + next(14), cy: 13 + next(14), r: 7 + next(5), fill: colours[2] }),
  );
  return drawing;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function botAvatar(size) {
  return element("img", { src: "/static/icon.svg", width: size, height: size, alt: "", class: "avatar" });
}

// A text cut into its recognised parts; a payment's reference stays in one line, a code in the bot's messages stands out.
export function text(parts, { codes = false } = {}) {
  return parts.flatMap((part) => {
    if (part.kind === "page") return [element("a", { class: "address", href: part.text, target: "_blank", rel: "noopener noreferrer" }, part.text)];
    if (part.kind) return [element("span", { class: part.kind }, part.text)];
    return withMarks(part.text, codes ? CODE_OR_REFERENCE : REFERENCE);
  });
}

const CODE = /\b[A-Z] ?\d{6}\b/g;
const REFERENCE = /\b[A-Z]-[0-9A-Z]{6}\b/g;
const CODE_OR_REFERENCE = /\b[A-Z] ?\d{6}\b|\b[A-Z]-[0-9A-Z]{6}\b/g;

function withMarks(plain, pattern) {
  const made = [];
  let position = 0;
  for (const match of plain.matchAll(pattern)) {
    const mark = match[0][1] === "-" ? element("span", { class: "reference" }, match[0]) : element("strong", { class: "code" }, match[0]);
    made.push(plain.slice(position, match.index), mark);
    position = match.index + match[0].length;
  }
  return [...made, plain.slice(position)];
}

export function codeIn(parts) {
  return parts.map((part) => part.text).join("").match(CODE)?.[0] ?? null;
}

export function time(at, now) {
  const then = new Date(at);
  return element("time", { datetime: at, title: then.toLocaleString() }, ago(then, now));
}

export function ago(then, now) {
  const seconds = Math.max(0, (now - then) / 1000);
  if (seconds < 45) return "now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h`;
  return then.toLocaleDateString(undefined, { day: "numeric", month: "short" });
}

// Brings a list up to date by key: what stayed the same is left alone, so that focus and scrolling survive.
export function keep(list, items, key, make) {
  const there = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const first = list.children.length === 0;
  items.forEach((item, index) => {
    const name = key(item);
    const stamp = JSON.stringify(item);
    let child = there.get(name);
    there.delete(name);
    if (!child || child.dataset.stamp !== stamp) {
      const made = make(item);
      made.dataset.key = name;
      made.dataset.stamp = stamp;
      if (!child && !first) {
        made.classList.add("fresh");
        made.addEventListener("animationend", () => made.classList.remove("fresh"), { once: true });
      }
      if (child) child.replaceWith(made);
      child = made;
    }
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
  });
  for (const child of there.values()) child.remove();
}
