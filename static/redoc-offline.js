// ReDoc asks its maker's server for a logo; it gets ours, and no other host is asked.
// React sets an image's source as an attribute and again as a property.

const { logo } = document.currentScript.dataset;
const local = (url) => (String(url).startsWith("https://cdn.") ? logo : url);

const { setAttribute } = Element.prototype;
HTMLImageElement.prototype.setAttribute = function (name, value) {
  setAttribute.call(this, name, name === "src" ? local(value) : value);
};

const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
Object.defineProperty(HTMLImageElement.prototype, "src", {
  ...source,
  set(url) {
    source.set.call(this, local(url));
  },
});

// Samples scroll sideways: the keyboard has to get there.
new MutationObserver(() => {
  for (const sample of document.querySelectorAll("redoc pre:not([tabindex])")) {
    sample.tabIndex = 0;
  }
}).observe(document.body, { childList: true, subtree: true });
