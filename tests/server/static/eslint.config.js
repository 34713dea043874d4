/** How the page's JavaScript is linted; types are checked beside it, by `tsc`. */

import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "eqeqeq": "error",
      "no-implicit-coercion": "error",
      "no-shadow": "error",
      "no-unused-vars": ["error", { args: "all", argsIgnorePattern: "^_" }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "max-lines": ["error", 320],
      "max-lines-per-function": ["error", 60],
      "max-len": ["error", { code: 120, ignoreUrls: true }],
    },
  },
  { files: ["**/messages.js"], rules: { "max-lines": "off" } },
];
