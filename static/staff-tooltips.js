// Django's lists of permissions have icons with a text, which is read aloud only if the
// icon has a role. Django makes them when the page has loaded, before this runs.

window.addEventListener("load", () => {
  for (const icon of document.querySelectorAll(".help-tooltip[aria-label]")) {
    icon.setAttribute("role", "img");
  }
});
