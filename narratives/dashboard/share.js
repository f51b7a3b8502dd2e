// Buttons that save a panel's charts as a picture or copy a link to it.
// A picture contains the charts' own SVG, with title, denominator, filters, snapshot and caveat.
const NS = "http://www.w3.org/2000/svg";
const WIDE = 1000, MARGIN = 24, LINE = 18;

function plots(key) {
  return [...document.querySelectorAll(`.st-key-${key} .js-plotly-plot`)];
}

function lines(text, width, size) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `${size}px sans-serif`;
  const result = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (line && context.measureText(longer).width > width) {
      result.push(line);
      line = word;
    } else line = longer;
  }
  return line ? [...result, line] : result;
}

function element(name, attributes, text = "") {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

// Returns a copy of a drawing that looks the same without the page's style sheets.
function copyWithStyles(svg) {
  const copy = svg.cloneNode(true);
  const originals = svg.querySelectorAll("text, tspan");
  copy.querySelectorAll("text, tspan").forEach((text, i) => {
    const style = getComputedStyle(originals[i]);
    text.style.fill = style.fill;
    text.style.fontFamily = "sans-serif";
    text.style.fontSize = style.fontSize;
    text.style.fontWeight = style.fontWeight;
  });
  return copy;
}

function picture(data) {
  const charts = plots(data.panel);
  if (!charts.length) return null;
  const boxes = charts.map((plot) => plot.getBoundingClientRect());
  const left = Math.min(...boxes.map((b) => b.left)), top = Math.min(...boxes.map((b) => b.top));
  const right = Math.max(...boxes.map((b) => b.right)), bottom = Math.max(...boxes.map((b) => b.bottom));
  const width = Math.max(WIDE / 2, right - left) + 2 * MARGIN;
  const page = getComputedStyle(document.querySelector(".stApp"));
  const ink = page.color, paper = page.backgroundColor;
  const svg = element("svg", { xmlns: NS, width });
  const paint = (text, y, size, weight, opacity) =>
    svg.append(element("text", { x: MARGIN, y, fill: ink, "font-size": size, "font-weight": weight,
      "font-family": "sans-serif", opacity }, text));
  svg.append(element("title", {}, data.title));
  svg.append(element("desc", {}, [data.summary, ...data.notes].join("\n")));
  const background = element("rect", { width, fill: paper });
  svg.append(background);
  let y = MARGIN;
  for (const line of lines(data.title, width - 2 * MARGIN, 20)) paint(line, (y += 18), 20, 600, 1), (y += 6);
  for (const line of lines(data.how, width - 2 * MARGIN, 13)) paint(line, (y += LINE), 13, 400, 0.8);
  y += 14;
  charts.forEach((plot, i) => {
    for (const layer of plot.querySelectorAll(":scope .main-svg")) {
      const copy = copyWithStyles(layer);
      copy.setAttribute("x", MARGIN + boxes[i].left - left);
      copy.setAttribute("y", y + boxes[i].top - top);
      copy.style.background = "none";
      copy.style.overflow = "visible"; // letters may be wider in the picture than on the page
      svg.append(copy);
    }
  });
  y += bottom - top + 8;
  for (const note of data.notes)
    for (const line of lines(note, width - 2 * MARGIN, 12)) paint(line, (y += 16), 12, 400, 0.8);
  const height = y + MARGIN;
  for (const part of [svg, background]) part.setAttribute("height", height);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { text: new XMLSerializer().serializeToString(svg), width, height };
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function png(drawn) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([drawn.text], { type: "image/svg+xml" }));
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = drawn.width * 2;
  canvas.height = drawn.height * 2;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

async function copy(text) {
  // The clipboard interface is available on https and on localhost only.
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

export default function ({ data, parentElement }) {
  const status = parentElement.querySelector("[role=status]");
  const say = (text) => (status.textContent = text);
  const link = (pinned) => {
    const address = new URL(location.href);
    address.hash = "";
    address.searchParams.delete("as-of");
    for (const [key, value] of Object.entries(data.link || {})) address.searchParams.set(key, value);
    if (pinned) address.searchParams.set("as-of", data.snapshot);
    return address.toString();
  };
  const draw = (use) => async () => {
    const drawn = picture(data);
    if (!drawn) return say("No chart is shown. Switch the table off first.");
    await use(drawn);
    say("Saved.");
  };
  const actions = {
    png: draw(async (drawn) => save(await png(drawn), `${data.file}.png`)),
    svg: draw(async (drawn) => save(new Blob([drawn.text], { type: "image/svg+xml" }), `${data.file}.svg`)),
    link: async () => (await copy(link(false)), say("Link copied. It shows the latest snapshot.")),
    pinned: async () => (await copy(link(true)), say("Link copied. It shows this snapshot.")),
  };
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = actions[button.dataset.action];
    if (data.pictures === false && ["png", "svg"].includes(button.dataset.action)) button.hidden = true;
  }
  say("");
}
