// JupyterLab shows a picture without the text that its output carries, and ipywidgets a slider
// whose handle has no name: a screen reader gets both from here, and keys get to what is wider than
// its place. Loaded as it stands, unbuilt.
var _JUPYTERLAB = window._JUPYTERLAB || {};

_JUPYTERLAB["workbook-names"] = {
  init() {},
  async get() {
    const activate = (app) => {
      let waits = false;
      new MutationObserver(() => {
        if (waits) return;
        waits = true;
        requestAnimationFrame(() => { waits = false; name(app); });
      }).observe(document.body, { childList: true, subtree: true });
    };
    const name = (app) => {
      for (const wide of document.querySelectorAll(".jp-OutputArea-output [style*='overflow-x']"))
        if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
      for (const handle of document.querySelectorAll(".widget-slider [role=slider]:not([aria-label])")) {
        const label = handle.closest(".widget-slider").querySelector(".widget-label");
        handle.setAttribute("aria-label", label?.textContent || "slider");
      }
      if (!document.querySelector(".jp-RenderedImage img:not([alt])")) return;
      for (const panel of app.shell.widgets("main"))
        for (const { outputArea } of panel.content?.widgets ?? [])
          outputArea?.widgets.forEach(({ node }, place) => {
            const picture = node.querySelector(".jp-RenderedImage img:not([alt])");
            if (!picture) return;
            const { metadata, data } = outputArea.model.get(place);
            const told = Object.values(metadata ?? {}).find((each) => each?.alt)?.alt;
            picture.alt = told || String(data["text/plain"] ?? "");
          });
    };
    return () => ({ id: "workbook-names:plugin", autoStart: true, activate });
  },
};
