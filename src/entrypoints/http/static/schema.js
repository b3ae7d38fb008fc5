"use strict";
// Swagger UI on our own document; what it tries out is sent with the session's cookie and CSRF token.
(async () => {
  const session = await (await fetch("/session")).json();
  window.SwaggerUIBundle({
    url: "/schema",
    dom_id: "#ui",
    deepLinking: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (session.csrf_token) request.headers["X-CSRF-Token"] = session.csrf_token;
      return request;
    },
  });
})();
