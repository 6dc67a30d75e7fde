import { SqlError } from "./sql_error.ts";
import { SqlFilter } from "./sql_filter.ts";
import type { SqlLimits } from "./sql_parser.ts";

/** Characters of all expressions that are kept. */
const KEPT_CHARACTERS = 4 * 1024 * 1024;

/** Compiled expressions by their text, kept: clients repeat the same few in every pull. A broken one is kept as its error. */
export class CompiledFilters {
  readonly #known = new Map<string, SqlFilter | SqlError>();
  #characters = 0;

  /** `limit`: expressions kept at most. */
  constructor(private readonly limits: SqlLimits, private readonly limit: number) {}

  /** The filter, or what is wrong with the expression. */
  of(expression: string): SqlFilter | SqlError {
    const known = this.#known.get(expression);
    if (known !== undefined) return known;
    const compiled = this.#compile(expression);
    if (expression.length > this.limits.length) return compiled;
    if (this.#known.size >= this.limit || this.#characters + expression.length > KEPT_CHARACTERS) {
      this.#known.clear();
      this.#characters = 0;
    }
    this.#known.set(expression, compiled);
    this.#characters += expression.length;
    return compiled;
  }

  #compile(expression: string): SqlFilter | SqlError {
    try {
      return new SqlFilter(expression, this.limits);
    } catch (error) {
      if (error instanceof SqlError) return error;
      throw error;
    }
  }
}
