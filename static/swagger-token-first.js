// Swagger UI focuses the last field of its dialog and scrolls to it. Most people need the
// first: the token from sign-in. Screen readers also need names for the list of servers
// and for the parts above the operations.

const focusFirstField = () => {
  const dialog = document.querySelector(".dialog-ux:not([data-seen])");
  if (!dialog) return;
  dialog.dataset.seen = "";
  dialog.querySelector("input")?.focus();
};

const names = {
  "#servers": "Servers",
  ".information-container": "About the API",
  ".scheme-container": "Server and token",
};

const nameParts = () => {
  for (const [selector, name] of Object.entries(names)) {
    const part = document.querySelector(`${selector}:not([aria-label])`);
    if (!part) continue;
    part.setAttribute("aria-label", name);
    if (part.tagName !== "SELECT") part.setAttribute("role", "region");
  }
};

const improve = () => {
  focusFirstField();
  nameParts();
};

new MutationObserver(improve).observe(document.getElementById("swagger-ui"), {
  childList: true,
  subtree: true,
});
