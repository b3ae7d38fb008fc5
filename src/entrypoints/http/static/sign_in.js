"use strict";
// The code is taken out of the address at once, so that it stays in no history.
(async () => {
  const said = document.getElementById("said");
  const code = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  if (!code) {
    said.textContent = "This page needs a sign-in link: kubescribe sign-in makes one.";
    return;
  }
  const answer = await fetch("/sign-in", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  if (answer.ok) {
    location.replace("/schema/ui");
  } else if (answer.status === 401) {
    said.textContent = "This link was used before, or is too old. kubescribe sign-in makes a new one.";
  } else {
    said.textContent = "That did not work (" + answer.status + "). Try again in a moment.";
  }
})();
