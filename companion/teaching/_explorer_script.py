"""The script of `companion.teaching.explorer`, the same in each explorer.

It stands in the output itself, and finds what it brings to life without an id, as that of maps
does (`companion.teaching._map_script`).  How frames are stored: `companion.teaching.explorer`.
"""

SCRIPT = r"""
(() => {
  "use strict";
  const enliven = (box) => {
    box.dataset.live = "";
    const { texts, sentences, frames, pieces } =
      JSON.parse(box.querySelector('script[type="application/json"]').textContent);
    const [svg, line] = [".companion-figure svg", ".explorer-line"]
      .map((name) => box.querySelector(name));
    const controls = [...box.querySelectorAll(".explorer-control")].map((control, n) => {
      const [name, slider, output] = ["label > span", "input", "output"]
        .map((part) => control.querySelector(part));
      return { name: name.textContent, slider, output, texts: texts[n] };
    });

    const look = () => {
      let frame = 0;  // frames lie in the order of the numbers that the sliders are digits of
      for (const { name, slider, output, texts } of controls) {
        frame = frame * texts.length + Number(slider.value);
        output.textContent = texts[slider.value];
        slider.setAttribute("aria-valuetext", `${name} = ${texts[slider.value]}`);
      }
      svg.innerHTML = frames[frame].map((piece) => pieces[piece]).join("\n");
      svg.setAttribute("aria-label", sentences[frame]);
      line.textContent = sentences[frame];
    };

    for (const { slider } of controls) slider.addEventListener("input", look);
    box.querySelector(".explorer-controls").hidden = false;
    box.querySelector(".explorer-hint").hidden = true;
  };

  for (const box of document.querySelectorAll(".companion-explorer:not([data-live])")) enliven(box);
})();
"""
