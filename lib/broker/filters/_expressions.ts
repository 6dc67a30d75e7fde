/** Random expressions and properties for the tests of filters: mostly sense, at times nonsense. */
import fc from "fast-check";

const NAMES = ["a", "b", "c", "d", "TAGS", "$x_1", "notThere"];

const blank = fc.constantFrom(
  " ",
  " ",
  " ",
  "\t",
  "\n",
  "\r\n",
  "\f",
  "  ",
  " /* x */ ",
  "/**/",
  " -- x\n",
  "/* * ** */",
);

/** The word in some mixture of cases. */
function word(text: string): fc.Arbitrary<string> {
  return fc.constantFrom(text, text.toLowerCase(), text[0] + text.slice(1).toLowerCase());
}

const wholeNumber = fc.oneof(
  fc.constantFrom("0", "1", "5", "5L", "7l", "007", "0L", "2147483647", "2147483648", "9223372036854775807"),
  fc.constantFrom("9223372036854775808", "9007199254740993", "9007199254740992L", "99999999999999999999"),
  fc.nat(20).map(String),
  fc.maxSafeNat().map(String),
);
const decimalNumber = fc.oneof(
  fc.constantFrom(
    "0.0",
    "5.0",
    "5.",
    ".5",
    "5e0",
    "1.5E3",
    "2.50",
    "1e400",
    "1e-400",
    "4.9E-324",
    "1.7976931348623157e308",
  ),
  fc.constantFrom("9007199254740993.0", "1e23", "5.e1", "1.5e+2", "15e-1", "0.1", "00.5"),
  fc.double({ min: 1e-9, max: 1e9, noNaN: true }).map((value) => value.toFixed(3)),
);
const someText = fc.oneof(
  fc.constantFrom(
    "x",
    "TagA",
    "5",
    "true",
    "",
    "it''s",
    "größe",
    "ß",
    "''",
    "日本",
    "a b",
    "1.5",
    "NaN",
    "/* x */",
    "\n",
    "\u{1F600}",
  ),
  fc.string({ maxLength: 6, unit: "grapheme" }).map((text) => text.replaceAll("'", "''")),
);
const textLiteral = someText.map((text) => `'${text}'`);
const truth = fc.constantFrom("TRUE", "FALSE", "true", "False", "NULL", "null");
const name = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...NAMES) }, {
  weight: 1,
  arbitrary: fc.constantFrom("A", "é", "not", "a1"),
});

function spaced(...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> {
  const all = parts.map((part) => typeof part === "string" ? fc.constant(part) : part);
  return fc.tuple(fc.tuple(...all), fc.array(blank, { minLength: parts.length, maxLength: parts.length }))
    .map(([texts, blanks]) => texts.map((text, i) => text + (i < texts.length - 1 ? blanks[i] : "")).join(""));
}

const { expression } = fc.letrec<{ expression: string; operand: string; test: string; constant: string }>((tie) => {
  const operand = tie("operand");
  const test = tie("test");
  const optionalNot = fc.constantFrom("", "", "NOT ", "not\n");
  return {
    constant: fc.oneof(
      { weight: 4, arbitrary: wholeNumber },
      { weight: 3, arbitrary: decimalNumber },
      { weight: 3, arbitrary: textLiteral },
      { weight: 1, arbitrary: truth },
    ),
    operand: fc.oneof(
      { depthSize: "small", maxDepth: 4 },
      { weight: 8, arbitrary: name },
      { weight: 6, arbitrary: tie("constant") },
      {
        weight: 2,
        arbitrary: fc.tuple(fc.constantFrom("-", "+", "- ", "--", "-+"), operand).map((parts) => parts.join("")),
      },
      { weight: 1, arbitrary: operand.map((inner) => `(${inner})`) },
      { weight: 1, arbitrary: test.map((inner) => `(${inner})`) },
    ),
    test: fc.oneof(
      { depthSize: "small", maxDepth: 4 },
      { weight: 5, arbitrary: spaced(name, fc.constantFrom("=", "<>", ">", ">=", "<", "<="), tie("constant")) },
      { weight: 3, arbitrary: spaced(operand, fc.constantFrom("=", "<>", ">", ">=", "<", "<="), operand) },
      { weight: 3, arbitrary: spaced(operand, optionalNot, word("BETWEEN"), operand, word("AND"), operand) },
      { weight: 2, arbitrary: spaced(operand, word("IS"), optionalNot, word("NULL")) },
      {
        weight: 3,
        arbitrary: spaced(
          operand,
          optionalNot,
          fc.oneof(word("CONTAINS"), word("STARTSWITH"), word("ENDSWITH")),
          fc.oneof({ weight: 9, arbitrary: textLiteral }, { weight: 1, arbitrary: operand }),
        ),
      },
      {
        weight: 2,
        arbitrary: spaced(
          fc.oneof({ weight: 5, arbitrary: name }, { weight: 1, arbitrary: operand }),
          optionalNot,
          word("IN"),
          "(",
          fc.array(textLiteral, { minLength: 1, maxLength: 8 }).map((texts) => texts.join(",")),
          ")",
        ),
      },
      { weight: 1, arbitrary: fc.oneof(name, truth) },
      { weight: 3, arbitrary: spaced(test, fc.oneof(word("AND"), word("OR")), test) },
      { weight: 1, arbitrary: spaced(word("NOT"), operand) },
      { weight: 2, arbitrary: test.map((inner) => `NOT (${inner})`) },
      { weight: 1, arbitrary: test.map((inner) => `(${inner})`) },
    ),
    expression: test,
  };
});

const PIECES = [
  ...["a", "b", "=", "<>", ">", "<=", "(", ")", ",", "+", "-", "--", "'x'", "'", "''", "5", "0", "1.5", ".", "e5", "L"],
  ...[
    "NOT",
    "AND",
    "OR",
    "BETWEEN",
    "IN",
    "TRUE",
    "NULL",
    "IS",
    "CONTAINS",
    "STARTSWITH",
    "/*",
    "*/",
    "\n",
    " ",
    "@",
    "é",
  ],
];

/** Pieces of the language in any order. */
const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).chain((pieces) =>
  fc.constantFrom("", " ").map((between) => pieces.join(between))
);

/** An expression with a part cut out, doubled, or something set in. */
const damaged = fc.tuple(expression, fc.nat(60), fc.nat(8), fc.constantFrom("", ...PIECES)).map((
  [text, at, length, piece],
) => text.slice(0, at) + piece + text.slice(at + length));

/** Any text that somebody could send as an expression. */
export const anyExpression: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: expression },
  { weight: 2, arbitrary: damaged },
  { weight: 1, arbitrary: soup },
);

const propertyValue = fc.oneof(
  fc.constantFrom(
    "5",
    "1",
    "0",
    "-1",
    "+5",
    "-0",
    "005",
    "5.0",
    " 5 ",
    "5f",
    "5D",
    "1e3",
    "0x1.8p1",
    "0x.8p-1074",
    "x",
    "TagA",
  ),
  fc.constantFrom("true", "TRUE", "false", "NaN", "-Infinity", "+NaN", "٣", "５", "5L", "2147483648", "-2147483648"),
  fc.constantFrom(
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "9007199254740993",
    "1.",
    ".5",
    ".",
  ),
  fc.constantFrom(
    "it's",
    "größe",
    "größer",
    "日本語",
    "\u{1F600}",
    "1e400",
    "1e-400",
    "+",
    "-",
    "",
    " ",
    "0x1p",
    "0.1",
    "1_0",
  ),
  fc.integer({ min: -20, max: 20 }).map(String),
  fc.double().map(String),
  fc.string({ maxLength: 8, unit: "grapheme" }).map((text) => [...text].filter((each) => each > "\x02").join("")),
);

/** Property text as a message holds it, here and there with pairs that do not count. */
export const propertyText: fc.Arbitrary<string> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.tuple(fc.constantFrom(...NAMES.slice(0, -1)), propertyValue).map(([key, value]) =>
        `${key}\x01${value}\x02`
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom("\x01x\x02", "a\x01\x02", "b\x02", "\x02", "c\x01x\x01y\x02", "abcdefgh\x015\x02"),
    },
  ),
  { maxLength: 7 },
).map((pairs) => pairs.join(""));
