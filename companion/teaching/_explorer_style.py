"""The style sheet of `companion.teaching.explorer`, the same in each explorer.

It stands in the output itself, for the reason that `companion.teaching._map_style` gives.  The
frames carry the colours of the page, or, where the page has none, those of white paper: there the
explorer brings the paper along.
"""

STYLE = """
.companion-explorer {
  color-scheme: light;
  margin: 1rem 0;
  max-width: 900px;
  background: var(--pst-color-background, #fefefe);
  color: var(--pst-color-text-base, #222832);
  font: 16px/1.4 var(--pst-font-family-base, system-ui), "DejaVu Sans", sans-serif;
}
.bd-article .companion-explorer { color-scheme: inherit; }  /* the book says what it is */
body[data-jp-theme-light="false"] .companion-explorer {  /* a dark notebook editor */
  --pst-color-text-base: var(--jp-ui-font-color0);
  --pst-color-text-muted: var(--jp-ui-font-color1);
  --pst-color-border: var(--jp-border-color1);
  --pst-color-background: var(--jp-layout-color0);
  --pst-color-primary: #4db2ff;
  color-scheme: dark;
}
.companion-explorer p { margin: 0.3rem 0; }
.companion-explorer .explorer-title { font-weight: 600; }
.companion-explorer .explorer-controls { display: flex; flex-wrap: wrap; gap: 0.2rem 2rem; }
.companion-explorer .explorer-control {
  flex: 1 1 15rem;
  display: grid;
  grid-template: auto 40px / auto 1fr;
  gap: 0 0.5rem;
  min-width: 0;
  font-size: 15px;
}
.companion-explorer label { display: contents; }
.companion-explorer output { font-weight: 600; overflow-wrap: anywhere; }
.companion-explorer input {
  grid-area: 2 / 1 / 3 / 3;
  box-sizing: border-box;
  width: 100%;
  height: 40px;
  margin: 0;
  accent-color: var(--pst-color-primary, #0077bb);
  cursor: pointer;
}
.companion-explorer input:focus-visible {
  outline: 3px solid var(--pst-color-primary, #0077bb);
  outline-offset: -2px;
}
.companion-explorer [hidden] { display: none; }
.companion-explorer .companion-figure { margin: 0.3rem 0; }
.companion-explorer .companion-figure svg { display: block; margin: 0 auto; }
.companion-explorer .explorer-line { min-height: 2.8em; font-size: 15px; }
.companion-explorer .explorer-hint {
  color: var(--pst-color-text-muted, #48566b);
  font-size: 14px;
}
@media (max-width: 600px) {
  .companion-explorer .explorer-line { min-height: 4.2em; }  /* the page below stays in place */
}
@media print {
  .companion-explorer { break-inside: avoid; }
  .companion-explorer .explorer-line { min-height: 0; }
  .companion-explorer :is(input, .explorer-hint) { display: none; }
  .companion-explorer .explorer-control { grid-template: auto / auto 1fr; flex: none; }
}
"""
