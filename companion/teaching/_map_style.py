"""The style sheet of `companion.teaching.maps`, the same in each map.

It stands in the output itself, not in the book's own files: a notebook editor or a hosted
notebook has the output and nothing else, and what works there works in the book too.
"""

from __future__ import annotations

from companion.teaching.plotting import PALETTE

STYLE = """
.companion-map {
  --map-ink: var(--pst-color-text-base, var(--jp-ui-font-color0, #222832));
  --map-muted: var(--pst-color-text-muted, var(--jp-ui-font-color1, #48566b));
  --map-grid: var(--pst-color-border, var(--jp-border-color1, #d1d5da));
  --map-paper: var(--pst-color-background, var(--jp-layout-color0, #fefefe));
  margin: 1rem 0;
  max-width: 900px;
  background: var(--map-paper);
  color: var(--map-ink);
  font: 16px/1.4 var(--pst-font-family-base, system-ui), "DejaVu Sans", sans-serif;
}
.companion-map p { margin: 0.3rem 0; }
.companion-map .map-title { font-weight: 600; }
.companion-map .map-controls { display: flex; gap: 0.4rem; align-items: end; }
.companion-map [hidden] { display: none; }
.companion-map label { flex: 1 1 8rem; min-width: 0; max-width: 26rem; font-size: 14px; }
.companion-map :is(input, button) {
  box-sizing: border-box;
  height: 40px;
  margin: 0;
  border: 1px solid var(--map-muted);
  border-radius: 0.25rem;
  background: var(--map-paper);
  color: var(--map-ink);
  font: inherit;
  font-size: 16px;
}
.companion-map input { display: block; width: 100%; padding: 0 0.5rem; }
.companion-map input::placeholder { color: var(--map-muted); opacity: 1; }
.companion-map button { min-width: 40px; padding: 0 0.6rem; cursor: pointer; }
.companion-map :is(input, button, .map-stage):focus-visible {
  outline: 3px solid var(--pst-color-primary, #0077bb);
  outline-offset: -2px;
}
.companion-map .map-line { min-height: 1.4em; font-size: 14px; }
.companion-map .map-kin {  /* heard, not seen: the names stand in the map as far as they fit */
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
}
.companion-map .map-legend {
  display: flex;
  flex-wrap: wrap;
  gap: 0.1rem 1rem;
  margin: 0.3rem 0;
  padding: 0 !important;  /* editors indent lists by more specific rules */
  list-style: none;
  font-size: 14px;
}
.companion-map .map-legend li { margin: 0; }
.companion-map .map-legend svg { width: 14px; height: 14px; vertical-align: -2px; }
.companion-map .map-stage {
  position: relative;
  margin: 0;
  border: 1px solid var(--map-grid);
  border-radius: 0.25rem;
  overflow-x: auto;
}
.companion-map .map-stage svg { display: block; width: 100%; min-width: 660px; height: auto; }
.companion-map[data-live] .map-stage {
  height: min(var(--map-height), 100vw);
  overflow: hidden;
  touch-action: pan-y;
  user-select: none;
  -webkit-user-select: none;
  cursor: grab;
}
.companion-map[data-live] .map-stage svg { min-width: 0; height: 100%; }
.companion-map .points path { stroke: var(--map-paper); stroke-width: 0.7; }
.companion-map .points .off { opacity: 0.45; }
.companion-map .points .on { stroke: var(--map-ink); stroke-width: 2.5; opacity: 1; }
.companion-map .rings circle { fill: none; stroke: var(--map-ink); stroke-width: 2; }
.companion-map .names text {
  fill: var(--map-muted);
  font-size: 13px;
  paint-order: stroke;
  stroke: var(--map-paper);
  stroke-width: 4px;
  stroke-linejoin: round;
  pointer-events: none;
}
.companion-map .names .hit { fill: var(--map-ink); font-weight: 600; }
.companion-map .map-tip {
  position: absolute;
  left: 0;
  top: 0;
  box-sizing: border-box;
  width: max-content;
  max-width: min(20rem, calc(100% - 8px));
  padding: 0.2rem 0.5rem;
  border: 1px solid var(--map-muted);
  border-radius: 0.25rem;
  background: var(--map-paper);
  color: var(--map-ink);
  font-size: 14px;
  overflow-wrap: anywhere;
  pointer-events: none;
}
.companion-map .map-tip small { display: block; color: var(--map-muted); font-size: 13px; }
.companion-map .map-hint { color: var(--map-muted); font-size: 13px; }
@media (max-width: 600px) {
  .companion-map .map-line { min-height: 2.8em; }
}
@media print {
  .companion-map { break-inside: avoid; }
  .companion-map :is(.map-controls, .map-tip, .map-hint, .map-keys) { display: none; }
}
"""

STYLE += "".join(
    f".companion-map .g{code} {{ fill: {colour}; }}\n" for code, colour in enumerate(PALETTE)
)
