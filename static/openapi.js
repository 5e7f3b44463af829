// @ts-check
/** Shows the description of the API in Swagger UI, for the page of chunked_upload/openapi. */

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  dom_id: "#api",
  url: "openapi.json",
  deepLinking: true,
  validatorUrl: null, // would send the address to a server of others
});
