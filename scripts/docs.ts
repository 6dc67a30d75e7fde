/** Writes the generated pages: docs/configuration.md, and the table of requests in docs/compatibility.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { withCodes } from "./docs/codes_table.ts";
import { configurationPage } from "./docs/configuration_page.ts";

writeFileSync("docs/configuration.md", configurationPage());
const compatibility = "docs/compatibility.md";
writeFileSync(compatibility, await withCodes(readFileSync(compatibility, "utf8")));
Deno.exit(0);
