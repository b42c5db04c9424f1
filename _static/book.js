/* What style sheets cannot do: paper is light, a solution's button says what it does, a search
   shows where in the text it found a word, and a box that is wider than the screen fades at the
   side where there is more. */
(() => {
  "use strict";
  const root = document.documentElement;
  let themeOnScreen = null;

  window.addEventListener("beforeprint", () => {
    themeOnScreen = root.dataset.theme ?? null;
    root.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    if (themeOnScreen === null) delete root.dataset.theme;
    else root.dataset.theme = themeOnScreen;
  });

  const nameSolutions = () => {
    for (const button of document.querySelectorAll(".solution > .admonition-title > button")) {
      const title = button.parentElement.textContent.trim();
      const exercise = title.replace(/^Solution to\s*/, "").replace(/\s*\(.*$/s, "");
      const name = () => {
        const does = button.getAttribute("aria-expanded") === "true" ? "Hide" : "Show";
        button.setAttribute("aria-label", `${does} solution to ${exercise}`);
      };
      name();
      new MutationObserver(name).observe(button, { attributeFilter: ["aria-expanded"] });
    }
  };

  const WIDE = [".cell_output .text_html", ".bd-article .pst-scrollable-table-container",
                ".bd-article table:not(.dataframe)", ".companion-figure",
                ".bd-article pre",
                'mjx-container[display="true"]'].join(",");

  const reached = new Set();  // the boxes that the keyboard stops at because they scroll

  const showEdges = (box) => {
    const left = box.scrollLeft, right = box.scrollWidth - box.clientWidth - left;
    for (const [side, hidden] of Object.entries({ left, right })) {
      box.classList.toggle(`more-${side}`, hidden > 1);
      box.style.setProperty(`--hidden-${side}`, `${hidden}px`);
    }
    const scrolls = left > 1 || right > 1;
    if (scrolls && !box.hasAttribute("tabindex")) {
      box.tabIndex = 0;
      reached.add(box);
    } else if (!scrolls && reached.delete(box)) {
      box.removeAttribute("tabindex");
    }
  };

  const shrinkFormulas = () => {  // those that are a little too wide; the others scroll
    for (const box of document.querySelectorAll('mjx-container[display="true"]')) {
      const over = box.scrollWidth / box.clientWidth;
      const size = parseFloat(box.style.fontSize) || 100;
      if (over > 1 && over <= 1.1) box.style.fontSize = `${size / over - 0.5}%`;
    }
  };

  const watchEdges = () => {
    const boxes = [...document.querySelectorAll(WIDE)];
    const watcher = new ResizeObserver((found) => found.forEach((one) => showEdges(one.target)));
    for (const box of boxes) {
      box.addEventListener("scroll", () => showEdges(box), { passive: true });
      watcher.observe(box);
    }
  };

  // The excerpts of a search come from the text alone, not from the menus that stand over it.
  window.addEventListener("DOMContentLoaded", () => {
    if (typeof Search === "undefined") return;
    const textOf = Search.htmlToText;
    Search.htmlToText = (page, anchor) => {
      const read = new DOMParser().parseFromString(page, "text/html");
      const article = read.querySelector("article.bd-article");
      return textOf(article ? `<div role="main">${article.outerHTML}</div>` : page, anchor);
    };
  });

  window.addEventListener("load", async () => {
    nameSolutions();
    await window.MathJax?.startup?.promise;
    shrinkFormulas();
    watchEdges();
  });
})();
