/* What style sheets cannot do: paper is light, a solution's button says what it shows, and a box
   that is wider than the screen fades at the side where there is more. */
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
      button.setAttribute("aria-label", `Show solution to ${exercise}`);
    }
  };

  const WIDE = [".cell_output .text_html", ".bd-article .pst-scrollable-table-container",
                ".bd-article table:not(.dataframe)", ".companion-figure",
                ".bd-article .cell_input pre",
                'mjx-container[display="true"]'].join(",");

  const showEdges = (box) => {
    const left = box.scrollLeft > 1;
    const right = box.scrollLeft + box.clientWidth < box.scrollWidth - 1;
    box.classList.toggle("more-left", left);
    box.classList.toggle("more-right", right);
    if ((left || right) && !box.hasAttribute("tabindex")) box.tabIndex = 0;
  };

  const watchEdges = () => {
    const boxes = [...document.querySelectorAll(WIDE)];
    const watcher = new ResizeObserver((found) => found.forEach((one) => showEdges(one.target)));
    for (const box of boxes) {
      box.addEventListener("scroll", () => showEdges(box), { passive: true });
      watcher.observe(box);
    }
  };

  window.addEventListener("load", async () => {
    nameSolutions();
    await window.MathJax?.startup?.promise;
    watchEdges();
  });
})();
