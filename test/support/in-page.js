// Runs in the page, not here: each function is sent there by its text, so none may use another.

/** Of every text that is shown, as the browser computed it. In a drawing the text's colour is its fill. */
export function contrasts() {
  const channels = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const [r = 0, g = 0, b = 0] = channels(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const solid = (colour) => (channels(colour)[3] ?? 1) > 0 && colour !== "none";
  /** A drawn box stands beside its text, not around it. */
  const behind = (from) => {
    for (let one = from; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      const rect = one.matches("g.box") && !from.matches(".say") ? one.querySelector("rect") : null;
      if (rect) return getComputedStyle(rect).fill;
      if (!(one instanceof SVGElement) && solid(style.backgroundColor)) return style.backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    const text = node.textContent?.trim();
    if (!parent || !text || parent.matches("title, style") || parent.getClientRects().length === 0) continue;
    const style = getComputedStyle(parent);
    const colour = parent instanceof SVGElement ? style.fill : style.color;
    const ground = behind(parent);
    const [a, b] = [light(colour), light(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push({ text: text.slice(0, 40), colour, behind: ground, ratio: Math.round(ratio * 100) / 100 });
  }
  return found;
}

/** Texts that stand outside their box of the drawing, or outside of the page. */
export function cutOff() {
  const found = [];
  for (const name of document.querySelectorAll("svg .box .name, svg .box .cap")) {
    const box = name.parentElement?.querySelector("rect")?.getBoundingClientRect();
    const text = name.getBoundingClientRect();
    if (box && text.width > 0 && text.right > box.right) found.push(name.textContent ?? "");
  }
  for (const one of document.querySelectorAll("body *")) {
    const { right, width } = one.getBoundingClientRect();
    if (width > 0 && right > window.innerWidth + 1) found.push(`${one.tagName} ${one.textContent?.slice(0, 30)}`);
  }
  return found;
}

export function unfold() {
  for (const one of document.querySelectorAll("details")) one.open = true;
}

/** Where the keyboard is, and whether an eye can tell; nothing where it has left the page. */
export function focused() {
  const one = document.activeElement;
  if (!one || one === document.body) return undefined;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const seen = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2 && box.width > 0 && box.left >= 0;
  return `${seen ? "seen" : "UNSEEN"} ${one.tagName} ${one.textContent?.trim().slice(0, 40)}`;
}

export function about() {
  return {
    language: document.documentElement.lang,
    title: document.title,
    width: document.documentElement.scrollWidth,
    ground: getComputedStyle(document.body).backgroundColor,
    headings: [...document.querySelectorAll("h1,h2,h3")].map((one) => one.tagName),
  };
}

/** Names in the drawing that is shown here, and take no room. */
export function unseenNames() {
  return [...document.querySelectorAll("svg text.name")]
    .filter((one) => one.ownerSVGElement.checkVisibility() && one.getBBox().width === 0)
    .map((one) => one.textContent);
}
