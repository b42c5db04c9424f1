"""The script of `companion.teaching.maps`, the same in each map.

It stands in the output itself, for the reason that `companion.teaching._map_style` gives.  There
is no id in it: it brings all maps of the page to life that it finds, each once, so that any
number of maps, and of copies of one, can stand together.  Two of its functions have twins in
Python, because the picture is there before, and without, the script: ``matches`` is
`companion.teaching.maps.matches`, and ``nameThem`` is `Picture.names`.
"""

SCRIPT = r"""
(() => {
  "use strict";
  const PAD = 24, MOST = 12, FEW = 60, DEEPEST = 40, REACH = 18, LONGEST = 30, KIN = 10;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const between = (low, value, high) => Math.min(Math.max(value, low), high);
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const matches = (label, query) => {
    const words = fold(query).split(/\s+/).filter(Boolean);
    return words.length > 0 && words.every((word) => label.includes(word));
  };
  const short = (text) => {
    const letters = [...text], end = "\u2026" + (text.match(/ \([0-9]{4}\)$/)?.[0] ?? "");
    return letters.length > LONGEST
      ? letters.slice(0, LONGEST - end.length).join("").trimEnd() + end : text;
  };
  const draw = (name, attributes, text = "") => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    node.textContent = text;
    return node;
  };

  const enliven = (box) => {
    box.dataset.live = "";
    const [stage, svg, tip, line, input] =
      [".map-stage", ".map-stage svg", ".map-tip", ".map-line", "input"]
        .map((name) => box.querySelector(name));
    const [layer, rings, names] = svg.children;
    const groups = Object.fromEntries([...box.querySelectorAll(".map-legend li")]
      .map((li) => [li.dataset.group, li.textContent.trim()]));
    const points = [...layer.children].map((node) => {
      const [, x, y, shape] = node.getAttribute("d").match(/^M(\S+) (\S+)(m.*)$/);
      const title = node.firstElementChild;
      title.remove();  // the browser's own tooltip would lie over ours
      const label = title.textContent, group = groups[node.classList[0]] ?? "";
      return { node, shape, label, group, folded: fold(label), x: +x, y: +y,
               r: +(node.dataset.r ?? 4), px: 0, py: 0, hit: false };
    });
    const ends = (key) => [Math.min(...points.map((p) => p[key])),
                           Math.max(...points.map((p) => p[key]))];
    const [[x0, x1], [y0, y1]] = [ends("x"), ends("y")];
    const middle = (some) => Object.fromEntries(["x", "y"].map((key) => {
      const all = some.map((p) => p[key]);
      return [key, (Math.min(...all) + Math.max(...all)) / 2];
    }));
    const whole = () => ({ k: 1, ...middle(points) });
    const start = input.value;
    let W = 0, H = 0, fit = 1, view = whole(), hits = [], kin = [], shown = null, turn = 0,
        asked = false;

    const inSight = (p) => p.px > 0 && p.px < W && p.py > 0 && p.py < H;

    const measure = () => {
      [W, H] = [stage.clientWidth, stage.clientHeight];
      svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
      fit = Math.min((W - 2 * PAD) / Math.max(x1 - x0, 1e-6),
                     (H - 2 * PAD) / Math.max(y1 - y0, 1e-6));
    };

    const widths = new Map();
    const widthOf = (text) => {
      const key = text.getAttribute("class") + text.textContent;
      if (!widths.has(key)) {
        names.append(text);
        widths.set(key, text.getComputedTextLength() + 4);
      }
      return widths.get(key);
    };

    const nameThem = () => {
      const seen = points.filter(inSight), ringed = seen.filter((p) => p.hit);
      const own = kin.filter(inSight);
      const near = seen.length <= FEW && !own.length ? seen.filter((p) => !p.hit) : [];
      const taken = [...ringed, ...own].map((p) => [p.px - p.r - 4, p.py - p.r - 4,
                                       p.px + p.r + 4, p.py + p.r + 4]);
      const isFree = ([a, b, c, d]) => a >= 2 && b >= 2 && c <= W - 2 && d <= H - 2
        && taken.every(([e, f, g, h]) => a >= g || c <= e || b >= h || d <= f);
      const biggest = (some) => [...some].sort((p, q) => q.r - p.r);
      const found = [], most = own.length || near.length ? FEW : MOST;
      for (const p of [...biggest(ringed), ...own, ...biggest(near)]) {
        if (found.length >= most) break;
        const text = draw("text", { class: p.hit ? "hit" : "" }, short(p.label));
        const width = widthOf(text), far = p.r + 6;
        for (const [side, dy] of [[1, 0], [-1, 0], [0, -far - 9], [0, far + 9],
                                  [1, -14], [1, 14], [-1, -14], [-1, 14]]) {
          const x = p.px + side * far, y = p.py + dy;
          const left = x - width * (1 - side) / 2, area = [left, y - 8, left + width, y + 8];
          if (!isFree(area)) continue;
          taken.push(area);
          for (const [key, value] of [["x", left], ["y", y + 4.5]]) text.setAttribute(key, value);
          found.push(text);
          break;
        }
      }
      names.replaceChildren(...found);
    };

    const paint = () => {
      for (const p of points) {
        p.px = W / 2 + (p.x - view.x) * fit * view.k;
        p.py = H / 2 + (p.y - view.y) * fit * view.k;
        p.node.setAttribute("d", `M${p.px.toFixed(1)} ${p.py.toFixed(1)}${p.shape}`);
      }
      rings.replaceChildren(...hits.filter(inSight).map((p) =>
        draw("circle", { cx: p.px, cy: p.py, r: p.r + 3.5 })));
      nameThem();
      stage.style.touchAction = view.k > 1 ? "none" : "pan-y";  // else a finger scrolls the page
      if (shown) inSight(shown) ? point(shown) : point(null);
    };

    const point = (p) => {
      shown?.node.classList.remove("on");
      shown = p;
      tip.hidden = !p;
      if (!p) return;
      p.node.classList.add("on");
      tip.replaceChildren(p.label);
      if (p.group) tip.append(Object.assign(document.createElement("small"),
                                            { textContent: p.group }));
      const [w, h] = [tip.offsetWidth, tip.offsetHeight], gap = p.r + 8;
      const above = p.py - gap - h >= 2 ? p.py - gap - h : p.py + gap;
      const x = between(2, p.px - w / 2, Math.max(2, W - w - 4));
      tip.style.transform = `translate(${x}px, ${between(2, above, Math.max(2, H - h - 4))}px)`;
    };

    const nearest = (x, y, reach) => {
      let best = null;
      for (const p of points) {
        const away = Math.hypot(p.px - x, p.py - y) - (p.hit ? 4 : 0);
        if (inSight(p) && away < reach) [best, reach] = [p, away];
      }
      return best;
    };

    const look = (to) => {
      to.k = between(1, to.k, DEEPEST);
      const roam = between(0, to.k - 1, 1) / 2, mid = whole();  // the middle stays on the map
      to.x = between(mid.x - roam * (x1 - x0), to.x, mid.x + roam * (x1 - x0));
      to.y = between(mid.y - roam * (y1 - y0), to.y, mid.y + roam * (y1 - y0));
      view = to;
      paint();
    };

    const glide = (to) => {
      const from = { ...view }, began = performance.now(), mine = ++turn;
      if (still.matches) return look(to);
      const step = (now) => {
        if (mine !== turn) return;
        const t = between(0, (now - began) / 260, 1), s = t * t * (3 - 2 * t);
        const k = from.k * (to.k / from.k) ** s;  // and a straight line on the screen:
        const u = to.k === from.k ? s : (1 / from.k - 1 / k) / (1 / from.k - 1 / to.k);
        look({ k, x: from.x + (to.x - from.x) * u, y: from.y + (to.y - from.y) * u });
        if (t < 1) requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    };

    const zoomed = (factor, x = W / 2, y = H / 2) => {
      const k = between(1, view.k * factor, DEEPEST), gain = (1 / view.k - 1 / k) / fit;
      return { k, x: view.x + (x - W / 2) * gain, y: view.y + (y - H / 2) * gain };
    };

    const gather = (some) => {  // the neighbours of what was found, in colour and with names
      kin = some;
      for (const p of points) p.node.classList.toggle("off", asked && !p.hit && !kin.includes(p));
    };

    const toHits = () => {
      if (!hits.length) return;
      const mid = middle(hits), away = (p) => Math.hypot(p.x - mid.x, p.y - mid.y);
      gather(hits.length > 1 ? []
        : points.filter((p) => !p.hit).sort((p, q) => away(p) - away(q)).slice(0, KIN));
      if (kin.length) say(" Its nearest on the map have names. Escape clears.",
                          ` They are ${kin.map((p) => p.label).join("; ")}.`);
      const least = kin.length ? 1e-6 : Math.max(x1 - x0, y1 - y0) / 8;
      const room = (key, pixels) => (pixels - 4 * PAD) / Math.max(least,
        2 * Math.max(...[...hits, ...kin].map((p) => Math.abs(p[key] - mid[key]))));
      glide({ ...mid, k: between(1, Math.min(room("x", W), room("y", H)) / fit, DEEPEST) });
    };

    const say = (keys, more = "") => {
      const says = hits.length === 1 ? "matches" : "match";
      const spans = [["map-keys", keys], ["map-kin", more]].map(([className, textContent]) =>
        Object.assign(document.createElement("span"), { className, textContent }));
      line.replaceChildren(asked ? `${hits.length || "None"} of ${points.length} ${says} `
        + `\u201c${input.value.trim()}\u201d.` : `${points.length} names.`, ...spans);
    };

    const search = (query) => {
      input.value = query;
      asked = query.trim() !== "";
      for (const p of points) p.hit = matches(p.folded, query);
      hits = points.filter((p) => p.hit);
      gather([]);
      layer.append(...points.filter((p) => !p.hit).map((p) => p.node),
                   ...hits.map((p) => p.node));
      say(!asked ? " Type part of one to find it."
        : hits.length ? " Enter zooms in, Escape clears." : " Escape clears.");
    };

    const ask = (query) => {
      search(query);
      point(null);
      if (view.k > 1 && hits.some((p) => !inSight(p))) glide(whole());
      else paint();
    };

    const reset = () => { search(start); point(null); glide(whole()); };

    const sayTheMiddle = () => {  // for those who move the map by keys: what is there?
      const p = nearest(W / 2, H / 2, Infinity);
      point(p);
      if (p) line.textContent = `Nearest the middle: ${p.label}`;
    };

    const closer = () => {  // towards what was found, where some of it is in sight
      const to = zoomed(1.8), some = hits.filter(inSight);
      glide(some.length ? { k: to.k, ...middle(some) } : to);
    };

    const DO = { in: closer, out: () => glide(zoomed(1 / 1.8)), reset };
    for (const button of box.querySelectorAll("button")) {
      button.addEventListener("click", () => DO[button.dataset.do]());
    }
    input.addEventListener("input", () => ask(input.value));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) toHits();
      else if (event.key === "Escape") ask("");
      else return;
      event.preventDefault();
    });

    const by = (x, y) => () => look({ k: view.k, x: view.x + x / fit / view.k,
                                      y: view.y + y / fit / view.k });
    const KEYS = { ArrowLeft: by(-60, 0), ArrowRight: by(60, 0), ArrowUp: by(0, -60),
                   ArrowDown: by(0, 60), "+": () => look(zoomed(1.8)), "=": () => look(zoomed(1.8)),
                   "-": () => look(zoomed(1 / 1.8)), 0: () => look(whole()) };
    stage.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") ask("");
      else if (Object.hasOwn(KEYS, event.key)) { turn++; KEYS[event.key](); sayTheMiddle(); }
      else return;
      event.preventDefault();
      event.stopPropagation();  // a page may turn over on an arrow
    });

    const fingers = new Map();
    const at = (event) => {
      const edge = stage.getBoundingClientRect();
      return [event.clientX - edge.left - stage.clientLeft,
              event.clientY - edge.top - stage.clientTop];
    };
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      turn++;
      fingers.set(event.pointerId, at(event));
      stage.setPointerCapture(event.pointerId);
      point(nearest(...at(event), REACH));
    });
    stage.addEventListener("pointermove", (event) => {
      const now = at(event), before = fingers.get(event.pointerId);
      if (!before) return point(nearest(...now, REACH));
      fingers.set(event.pointerId, now);
      if (fingers.size === 1) {
        look({ k: view.k, x: view.x - (now[0] - before[0]) / fit / view.k,
               y: view.y - (now[1] - before[1]) / fit / view.k });
      } else if (fingers.size === 2) {
        const [, other] = [...fingers].find(([id]) => id !== event.pointerId);
        const apart = (one) => Math.max(1, Math.hypot(one[0] - other[0], one[1] - other[1]));
        const middle = (one) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
        const to = zoomed(apart(now) / apart(before), ...middle(before));
        look({ k: to.k, x: to.x - (now[0] - before[0]) / 2 / fit / to.k,
               y: to.y - (now[1] - before[1]) / 2 / fit / to.k });
      }
    });
    for (const end of ["pointerup", "pointercancel"]) {
      stage.addEventListener(end, (event) => fingers.delete(event.pointerId));
    }
    stage.addEventListener("pointercancel", () => point(null));  // the finger scrolls the page
    stage.addEventListener("pointerleave", (event) => {  // a finger that is lifted leaves the name
      if (event.pointerType !== "touch" && !fingers.size) point(null);
    });
    addEventListener("pointerdown", (event) => { if (!stage.contains(event.target)) point(null); });
    stage.addEventListener("wheel", (event) => {  // a page that is scrolled past stays a page
      const asked = event.ctrlKey || event.metaKey || document.activeElement === stage;
      if (!asked || (view.k === 1 && event.deltaY > 0 && !event.ctrlKey)) return;
      event.preventDefault();
      turn++;
      const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
      look(zoomed(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), ...at(event)));
    }, { passive: false });

    let kept = null;
    addEventListener("beforeprint", () => {
      turn++;
      kept = { query: input.value, view, kin };
      point(null);
      search(start);
      look(whole());
    });
    addEventListener("afterprint", () => {
      search(kept.query);
      gather(kept.kin);
      look(kept.view);
    });

    for (const late of box.querySelectorAll(".map-controls, .map-hint")) late.hidden = false;
    stage.tabIndex = 0;
    search(start);
    new ResizeObserver(() => { if (stage.clientWidth) { measure(); paint(); } }).observe(stage);
  };

  for (const box of document.querySelectorAll(".companion-map:not([data-live])")) enliven(box);
})();
"""
