// Finds what tsc does not: error-prone patterns, and modules and functions that are too large.
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: {
      globals: { ...globals.browser, hashwasm: "readonly", SwaggerUIBundle: "readonly" },
    },
  },
  { files: ["**/*.mjs"], languageOptions: { globals: globals.node } },
  {
    rules: {
      complexity: ["error", 15], // unlike ruff, it also counts && and ??
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", { max: 50, skipBlankLines: true, skipComments: true }],
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
      "require-atomic-updates": "off",
      "no-unused-vars": "off", // tsc's noUnusedLocals finds them, and reads JSDoc
    },
  },
  // A list of texts is as long as there is to say.
  { files: ["static/page/texts/*.js"], rules: { "max-lines": "off" } },
  { ignores: ["static/vendor/"] },
];
