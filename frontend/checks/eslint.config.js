// What tsc does not see: habits that lead to mistakes, and functions that grow too large.
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: { globals: { ...globals.browser, hashwasm: "readonly" } },
    rules: {
      complexity: ["error", 15], // it counts && and ?? as well, which ruff does not
      "max-lines": ["error", 350],
      "max-lines-per-function": ["error", { max: 50, skipBlankLines: true, skipComments: true }],
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
      "require-atomic-updates": "off",
      "no-unused-vars": "off", // tsc's noUnusedLocals sees them, and knows JSDoc
    },
  },
  { ignores: ["static/vendor/"] },
];
