"""The text: characters, precedence, what is not in the grammar."""

from __future__ import annotations

from topics.kit import Topic, integers, real, symbol

A = {"a": real([1.5])}


ABC = {"a": integers("uint8", [6]), "b": integers("uint8", [3]), "c": integers("uint8", [2])}


BOOLS = {name: symbol("bool", "i", [True]) for name in "pqr"}


def lexis() -> Topic:
    topic = Topic("lexis", "Characters, comments, names and numbers.")
    numbers = {
        "zero": ("0", 0),
        "decimal": ("120", 120),
        "hexadecimal": ("0x1F", 31),
        "hexadecimal-lower-case": ("0xabcdef", 0xABCDEF),
        "hexadecimal-upper-case": ("0xABCDEF", 0xABCDEF),
        "hexadecimal-with-leading-zeros": ("0x00ff", 255),
        "hexadecimal-that-looks-like-an-exponent": ("0x1e5", 0x1E5),
        "hexadecimal-e-and-plus": ("0xe+1", 15),
        "binary": ("0b1011", 11),
        "binary-with-leading-zeros": ("0b0011", 3),
        "point": ("1.5", 1.5),
        "point-first": (".5", 0.5),
        "exponent": ("1e2", 100.0),
        "exponent-upper-case": ("1E2", 100.0),
        "exponent-with-plus": ("1e+2", 100.0),
        "exponent-with-minus": ("25e-2", 0.25),
        "point-and-exponent": ("1.5e3", 1500.0),
        "point-first-and-exponent": (".5e1", 5.0),
        "real-with-leading-zeros": ("08.5", 8.5),
        "exponent-with-leading-zeros": ("007e01", 70.0),
        "zero-with-exponent": ("0e0", 0.0),
        "real-zero": ("0.0", 0.0),
        "largest-real": ("1.7976931348623157e308", 1.7976931348623157e308),
        "smallest-real": ("4.9406564584124654e-324", 5e-324),
        "below-the-smallest-real": ("1e-400", 0.0),
        "many-digits": ("0.1000000000000000055511151231257827", 0.1),
        "halfway-goes-to-even": ("9007199254740993.0", 9007199254740992.0),
        "a-little-above-halfway": ("9007199254740993.00000000000000000001", 9007199254740994.0),
    }
    for name, (text, value) in numbers.items():
        dtype = "float64" if isinstance(value, float) else "uint32"
        topic.gives(name, text, value, dtype=dtype)
    texts = {
        "no-blanks": "a+a*2",
        "tabs-and-lines": "a\t+\n\na\r\n*\r2",
        "comment-at-the-end": "a + a * 2 # twice more",
        "comment-at-the-end-of-a-line": "a + # the first\na * 2",
        "comment-first": "# what it does\na + a * 2",
        "comment-with-anything-printable": "a + a * 2 #~!%$\"'`@?\\:{}[)(;",
        "empty-comment": "a + a * 2 #\n#",
        "keyword-next-to-a-number": "where(a == 1.5and a == 1.5or a == 2, a * 3, 0)",
        "keyword-next-to-a-bracket": "where(not(a == 2), a*3, 0)",
        "definition": "let x = a; x + a * 2",
        "definitions-on-lines": "let x = a;\nlet y = x;\nx + y * 2",
        "definition-without-blanks": "let x=a;x+x*2",
    }
    for name, text in texts.items():
        topic.gives(name, text, [4.5], **A)
    names = [
        "a1",
        "_",
        "_a",
        "A",
        "lets",
        "android",
        "e5",
        "x0",
        "Where",
        "nand",
        "pi2",
        "elsewhere",
    ]
    for name in names:
        topic.gives(f"name-{name}", f"{name} + 1", [2.5], **{name: real([1.5])})
    topic.gives("case-counts", "a - A", [-1.0], a=real([1.0]), A=real([2.0]))
    topic.gives("long-name", f"{'n' * 200} + 1", [2.5], **{"n" * 200: real([1.5])})
    faults = {
        "empty": "@",
        "only-blanks": "  \n @",
        "only-a-comment": "# nothing@",
        "decimal-with-leading-zero": "0@8",
        "two-zeros": "0@0",
        "no-digits-after-the-point": "1@.",
        "no-digits-after-the-point-before-an-exponent": "1@.e3",
        "a-lone-point": "@.",
        "two-points": "1@..5",
        "point-and-name": "a@.5",
        "two-reals": "1.5@.5",
        "no-hexadecimal-digits": "0@x",
        "hexadecimal-x-in-upper-case": "0@X1F",
        "no-binary-digits": "0@b",
        "binary-with-2": "0@b2",
        "binary-b-in-upper-case": "0@B1",
        "hexadecimal-with-g": "0x3@G",
        "hexadecimal-with-point": "0x1@.8",
        "exponent-without-digits": "1@e",
        "exponent-without-digits-after-the-sign": "1@e+",
        "exponent-without-digits-after-a-point": "1.5@e",
        "underscore-in-a-number": "1@_000",
        "suffix": "1.5@f",
        "name-beginning-with-a-digit": "1@a",
        "percent": "a @% 2",
        "tilde": "@~a",
        "exclamation-mark": "@!a",
        "question-mark": "a @? 1 : 2",
        "colon": "a@:a",
        "double-quote": '@"a"',
        "single-quote": "@'a'",
        "backslash": "a @\\ 2",
        "dollar": "@$a",
        "braces": "@{a}",
        "point-between-names": "a@.b",
        "no-break-space": "a@\u00a0+ a",
        "micro-sign": "@\u00b5 + a",
        "minus-sign-of-typography": "a @\u2212 a",
        "cyrillic-look-alike": "@\u0430 + a",
        "full-width-digit": "a + @\uff11",
        "foreign-character-in-a-comment": "a # 5 @\u00b5m",
        "foreign-character-after-a-line": "a\n + @\u00e9",
        "byte-order-mark": "@\ufeffa",
        "null": "a@\u0000",
        "vertical-tab": "a@\u000b",
        "form-feed": "a@\u000c",
        "delete": "a@\u007f",
        "beyond-the-basic-plane": "a + @\U0001d465",
        "foreign-character-before-a-fault-of-grammar": ") + @\u00e9",
    }
    for name, text in faults.items():
        topic.refuses(name, text, "syntax", **A)
    topic.refuses("at-sign", "a @ a", "syntax", at=2, **A)
    return topic


def precedence() -> Topic:
    topic = Topic("precedence", "How operators group, and the mixtures that are refused.")
    grouped = {
        "minus-from-the-left": ("a - b - c", 1),
        "minus-and-plus": ("a - b + c", 5),
        "times-before-plus": ("a + b * c", 12),
        "times-before-minus": ("a * b - c", 16),
        "plus-before-shift": ("a + b << 2", 36),
        "shift-before-plus-in-parentheses": ("a + (b << 2)", 18),
        "minus-before-shift": ("a << 3 - 2", 12),
        "shifts-from-the-left": ("a << 3 >> 2", 12),
        "shift-before-and": ("a & b << 2", 4),
        "and-before-xor": ("a ^ b & c", 4),
        "xor-before-or": ("a | b ^ c", 7),
        "and-before-or": ("a | b & c", 6),
        "or-then-and": ("a & b | c", 2),
        "negation-of-a-product": ("-a * b", -18),
        "product-with-a-negative": ("a * -b", -18),
        "sum-with-a-negative": ("a + -b", 3),
        "difference-with-a-negative": ("a - -b", 9),
        "negative-shifted": ("-a >> 2", -2),
        "negative-in-parentheses": ("-(a + b)", -9),
        "doubled-negation-in-parentheses": ("-(-a)", 6),
        "parentheses-in-parentheses": ("((a - ((b)))) * (c)", 6),
    }
    for name, (text, value) in grouped.items():
        topic.gives(name, text, [value], dtype="int32", **ABC)
    reals = {
        "quotient-from-the-left": ("a / b / c", 1.0),
        "quotient-then-product": ("a / b * c", 4.0),
        "product-then-quotient": ("a * b / c", 9.0),
        "power-before-product": ("c * b ** c", 18.0),
        "power-before-quotient": ("a / c ** 1", 3.0),
        "power-from-the-right": ("c ** b ** c", 512.0),
        "power-from-the-left-in-parentheses": ("(c ** b) ** c", 64.0),
        "negative-exponent": ("c ** -b", 0.125),
        "negative-exponent-in-a-product": ("a * c ** -1", 3.0),
        "negation-of-a-power": ("-(c ** b)", -8.0),
        "power-of-a-negative": ("(-c) ** b", -8.0),
        "power-of-a-function": ("abs(c) ** b", 8.0),
        "negative-exponent-of-exponents": ("c ** (-c) ** c", 16.0),
        "power-and-sum": ("c + b ** c", 11.0),
    }
    for name, (text, value) in reals.items():
        topic.gives(name, text, [value], ulp=4 if "**" in text else None, **ABC)
    tests = {
        "sum-before-comparison": ("a + b > c * 4", True),
        "shift-before-comparison": ("a << 1 == b << 2", True),
        "negative-in-comparison": ("-a < -b", True),
        "bits-in-parentheses-compared": ("(a & b) == c", True),
        "comparison-with-bits-in-parentheses": ("a == (b | c)", False),
        "comparison-before-and": ("a > b and b > c", True),
        "and-before-or": ("a == b and a == b or a > b", True),
        "or-before-and-in-parentheses": ("a == b and (a == b or a > b)", False),
        "or-then-and": ("a > b or a == b and a == b", True),
        "not-before-and": ("not (a > b) and (a == b)", False),
        "not-before-or": ("not (a > b) or a > b", True),
        "not-of-a-call": ("not isnan(a)", True),
        "not-after-and": ("a > b and not (a == b)", True),
        "not-twice-in-parentheses": ("not (not (a > b))", True),
    }
    for name, (text, answer) in tests.items():
        topic.gives(f"bool-{name}", text, [answer], dtype="bool", **ABC)
    topic.gives(
        "not-of-a-name", "not p and q", [False], dtype="bool", **{n: BOOLS[n] for n in "pq"}
    )
    topic.gives(
        "not-of-an-index",
        "not t[1] or p",
        [True],
        dtype="bool",
        p=BOOLS["p"],
        t=symbol("bool", "k", [True, False]),
    )
    comparisons, bits = ["==", "!=", "<", "<=", ">", ">="], ["&", "^", "|"]
    for number, comparison in enumerate(comparisons):
        bit = bits[number % 3]
        words = ("equal", "unequal", "less", "less-equal", "greater", "greater-equal")[number]
        topic.refuses(f"bits-then-{words}", f"a {bit} b @{comparison} c", "syntax", **ABC)
        topic.refuses(f"{words}-then-bits", f"a {comparison} b @{bit} c", "syntax", **ABC)
        after = comparisons[(number + 2) % 6]
        topic.refuses(f"{words}-chained", f"a {comparison} b @{after} c", "syntax", **ABC)
        topic.refuses(f"not-then-{words}", f"not a @{comparison} b", "syntax", **ABC)
        topic.refuses(f"{words}-then-not", f"a {comparison} @not p", "syntax", **ABC, **BOOLS)
    refused = {
        "negative-power": "-a @** b",
        "negative-power-of-parentheses": "-(a) @** b",
        "negative-power-of-a-call": "-abs(a) @** b",
        "negative-power-of-a-number": "-2 @** 2",
        "negative-exponent-then-power": "a ** -b @** c",
        "two-minuses": "-@-a",
        "two-minuses-in-a-sum": "a - -@-b",
        "two-minuses-in-an-exponent": "a ** -@-b",
        "plus-before-an-operand": "@+a",
        "plus-before-an-operand-in-a-sum": "a + @+b",
        "not-of-a-number": "not @1",
        "not-of-a-negative": "not @-a",
        "not-of-not": "not @not p",
        "not-then-sum": "not p @+ 1",
        "not-then-power": "not p @** 2",
        "not-then-bits": "not p @& q",
        "sum-then-not": "a + @not p",
        "bits-then-not": "a & @not p",
        "not-after-a-minus": "-@not p",
        "floor-division": "a /@/ b",
        "c-and": "a &@& b",
        "c-or": "a |@| b",
        "unequal-of-sql": "a <@> b",
        "identity-of-javascript": "a ==@= b",
        "unsigned-shift-of-javascript": "a >>@> b",
        "assignment-with-operator": "a +@= b",
        "power-and-times": "a **@* b",
        "comparison-the-wrong-way-round": "a @=> b",
        "not-equal-of-fortran": "a /@= b",
    }
    for name, text in refused.items():
        topic.refuses(name, text, "syntax", **ABC, **BOOLS)
    return topic


def errors_syntax() -> Topic:
    topic = Topic("errors_syntax", "Texts that are not in the grammar.")
    faults = {
        "operand-missing": "a +@",
        "operand-missing-before-a-comment": "a + # more@",
        "operand-missing-on-the-next-line": "a +\n @",
        "operand-missing-in-parentheses": "(a + @)",
        "operand-missing-first": "@* a",
        "operand-missing-between": "a * @/ a",
        "operand-missing-after-a-shift": "a <<@",
        "operand-missing-between-shifts": "a << @>> a",
        "operator-missing": "a @a",
        "operator-missing-before-a-number": "a @1",
        "operator-missing-after-a-number": "1 @a",
        "operator-missing-after-a-bracket": "(a) @a",
        "operator-missing-before-a-bracket": "2 @(a)",
        "bracket-not-closed": "(a@",
        "bracket-of-a-call-not-closed": "abs(a@",
        "bracket-of-an-index-not-closed": "a[1@",
        "bracket-closed-twice": "(a)@)",
        "bracket-closed-first": "@)a",
        "bracket-of-the-other-kind": "abs(a@]",
        "bracket-of-the-other-kind-for-an-index": "a[1@)",
        "empty-parentheses": "(@)",
        "empty-index": "a[@]",
        "comma-at-the-end-of-a-call": "max(a, a, @)",
        "comma-at-the-start-of-a-call": "max(@, a)",
        "commas-in-a-row": "max(a, @, a)",
        "comma-at-the-end-of-an-index": "a[k = 1, @]",
        "comma-outside": "a@, a",
        "comma-in-parentheses": "(a@, a)",
        "named-argument": "abs(x @= a)",
        "index-of-parentheses": "(a)@[1]",
        "index-of-a-call": "abs(a)@[1]",
        "index-of-an-index": "a[1]@[1]",
        "index-of-a-number": "1@[1]",
        "index-of-nothing": "@[1]",
        "slice": "a[1@:2]",
        "else-alone-in-an-index": "a[@else = 1]",
        "else-before-another-item": "a[k = 1, else = 2@, i = 1]",
        "else-without-a-value": "a[1, else @]",
        "else-outside": "@else",
        "else-as-a-dimension-first": "a[@else = 1, k = 2]",
        "else-twice": "a[1, else = 1@, else = 2]",
        "keyword-as-a-dimension": "a[@and = 1]",
        "name-and-number-swapped-in-an-item": "a[1 @= k]",
        "item-named-twice": "a[k = i @= 1]",
        "if": "a @if a",
        "definition-without-a-value": "let x = @; a",
        "definition-without-a-name": "let @= a; a",
        "definition-of-a-number": "let @1 = a; a",
        "definition-of-a-keyword": "let @and = a; a",
        "definition-named-let": "let @let = a; a",
        "definition-with-two-equals-signs": "let x @== a; x",
        "definition-without-an-equals-sign": "let x @a; x",
        "definition-without-a-semicolon": "let x = a@",
        "definition-without-a-semicolon-before-the-result": "let x = a @x",
        "definition-without-a-semicolon-on-lines": "let x = a\n@let y = x;\ny",
        "definition-without-a-result": "let x = a;@",
        "definition-after-the-result": "a @let x = a;",
        "definition-inside": "(@let x = a; x)",
        "definition-without-let": "x @= a; x",
        "let-alone": "let@",
        "semicolon-at-the-end": "a@;",
        "semicolon-alone": "@;",
        "two-semicolons": "let x = a;@; x",
        "two-results": "a@; a",
        "keyword-as-an-operand": "a + @and",
        "and-at-the-end": "a and@",
        "or-at-the-start": "@or a",
        "not-at-the-end": "not@",
        "assignment": "a @= 1",
        "conditional-of-c": "a @? 1 : 2",
        "call-of-a-number": "2@(a)",
        "call-of-a-call": "abs(a)@(a)",
        "attribute": "a@.b",
        "string": "@'a'",
        "fault-on-the-third-line": "let x = a;\n# comment\n  x + @* 2",
        "fault-after-a-carriage-return": "a\r@a",
        "fault-after-tabs": "a\t\t@a",
        "fault-before-another": "a @) b ~",
        "two-faults-of-type-later": "true + 1 @1",
    }
    for name, text in faults.items():
        topic.refuses(name, text, "syntax", a=symbol("float64", "i", [1.0]))
    names = {
        "definition-of-a-symbol": "let @a = 1; a",
        "definition-of-a-symbol-not-used": "let @b = 1; a",
        "definition-of-a-function": "let @sqrt = 1; a",
        "definition-of-a-grouped-reduction": "let @group_median = 1; a",
        "definition-of-position": "let @position = 1; a",
        "definition-of-a-constant": "let @pi = 3; a",
        "definition-of-true": "let @true = 1; a",
        "definition-twice": "let x = a;\nlet @x = a;\nx",
        "function-as-a-name": "a + @sqrt",
        "function-indexed": "@sqrt[1] + a",
        "position-as-a-name": "@position + a",
        "position-of-a-number": "@position(1) + a",
        "position-of-a-sum": "@position(a + 1) + a",
        "position-of-a-call": "@position(abs(a)) + a",
    }
    both = {"a": real([1.0]), "b": real([1.0])}
    for name, text in names.items():
        topic.refuses(name, text, "syntax", **both)
    for name in ("where", "nan", "false", "else", "let", "mod", "position"):
        topic.refuses(
            f"symbol-named-{name}",
            "a + 1",
            "syntax",
            placed=False,
            unused=True,
            a=real([1.0]),
            **{name: real([1.0])},
        )
    return topic
