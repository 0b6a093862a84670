"""Names, arguments and their types that are refused."""

from __future__ import annotations

from topics.kit import Topic, integers, real, symbol


def errors_names() -> Topic:
    topic = Topic("errors_names", "Names that are unknown, and versions.")
    faults = {
        "symbol": "a + @b",
        "symbol-alone": "@b",
        "symbol-of-another-case": "a + @A",
        "symbol-misspelt": "a * @aa",
        "symbol-on-the-second-line": "a +\n  @b",
        "symbol-after-a-comment": "a + # b\n@b",
        "symbol-indexed": "a + @b[0]",
        "symbol-in-an-index": "a + t[@b]",
        "symbol-in-a-named-index": "a + t[k = @b]",
        "symbol-in-else": "a + t[0, else = @b]",
        "symbol-in-a-call": "a + sqrt(@b)",
        "symbol-in-a-definition": "let x = @b; a",
        "dimension-as-a-symbol": "a + @k",
        "first-of-two": "@b + c",
        "definition-used-above": "let x = @y; let y = a; x + y",
        "definition-used-in-itself": "let x = @x + 1; x",
        "function": "@squareroot(a)",
        "function-of-another-case": "@Sqrt(a)",
        "function-misspelt": "a + @wehre(true, a, 0)",
        "function-without-arguments": "@now()",
        "function-after-its-arguments": "@f(a)",
        "argument-before-the-function": "f(@b)",
        "symbol-called": "@a(1)",
        "definition-called": "let f = a; @f(1)",
        "table-called": "@t(0)",
        "constant-called": "@pi(2)",
        "function-of-other-languages": "@pow(a, 2)",
        "cast": "@int(a)",
        "python": "@__import__(a)",
        "infinity-in-words": "a + @infinity",
        "upper-case-constant": "a + @NaN",
        "upper-case-true": "where(@True, a, 0)",
        "unknown-before-type": "(@b + 1) + (true + 1)",
        "let-name-after-its-value": "let a = @b; a",
    }
    given = {"a": real([1.0]), "t": symbol("float64", "k", [1.0])}
    for name, text in faults.items():
        topic.refuses(name, text, "unknown-name", axes="i", **given)
    topic.refuses("type-before-unknown", "(true @+ 1) + b", "type", axes="i", **given)
    for language in ("nxformula-2", "nxformula-0", "nxformula", "python-3"):
        topic.refuses(
            f"language-{language}",
            "a + 1",
            "version",
            placed=False,
            axes="i",
            language=language,
            **given,
        )
    topic.refuses(
        "language-before-syntax",
        "a +",
        "version",
        placed=False,
        axes="i",
        language="nxformula-2",
        **given,
    )
    return topic


def errors_types() -> Topic:
    """What no other topic refuses: arguments of functions, indices, order of errors."""
    topic = Topic("errors_types", "Arguments and operands of the wrong type.")
    given = {
        "a": integers("uint8", [1]),
        "s": integers("int8", [1]),
        "x": real([1.0]),
        "p": symbol("bool", "i", [True]),
        "t": symbol("float64", "k", [1.0, 2.0]),
        "g": symbol("uint8", "k", [1, 2]),
        "m": symbol("bool", "k", [True, False]),
    }
    one = [
        "abs",
        "sqrt",
        "exp",
        "expm1",
        "log",
        "log1p",
        "log2",
        "log10",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "floor",
        "ceil",
        "round",
        "sign",
        "isnan",
        "isfinite",
    ]
    for name in one:
        topic.refuses(f"{name}-of-a-bool", f"1 + @{name}(p)", "type", **given)
    for name in ("atan2", "hypot", "min", "max", "mod"):
        topic.refuses(f"{name}-of-a-bool-first", f"@{name}(p, x)", "type", **given)
        topic.refuses(f"{name}-of-a-bool-second", f"@{name}(x, p)", "type", **given)
    faults = {
        "clip-of-a-bool": "@clip(x, 0, p)",
        "min-of-three-with-a-bool": "@min(x, 0, p)",
        "where-of-a-number": "@where(x, 1, 2)",
        "where-of-an-integer": "@where(a & 1, 1, 2)",
        "where-of-bool-and-number": "@where(p, p, 1)",
        "where-of-number-and-bool": "@where(p, 1, p)",
        "choose-by-a-real": "@choose(x, 1, 2)",
        "choose-by-a-bool": "@choose(p, 1, 2)",
        "choose-by-what-may-be-too-large": "@choose(a & 3, 1, 2, 3)",
        "choose-by-what-may-be-negative": "@choose(s & -2, 1, 2)",
        "choose-of-number-and-bool": "@choose(a & 1, 1, p)",
        "choose-of-bool-and-number": "@choose(a & 1, p, 1)",
        "bits-of-a-real": "@bits(x, 0, 1)",
        "bits-of-a-bool": "@bits(p, 0, 1)",
        "bits-from-a-real": "@bits(a, 0.0, 1)",
        "bits-from-a-negative": "@bits(a, -1, 1)",
        "bits-from-64": "@bits(a, 64, 1)",
        "bits-from-what-is-not-proven": "@bits(a, a, 1)",
        "bits-with-64": "@bits(a, 0, 64)",
        "bits-with-a-real-count": "@bits(a, 0, 1.0)",
        "bits-with-a-negative-count": "@bits(a, 0, -1)",
        "div-of-a-real": "@div(x, 2)",
        "div-by-a-real": "@div(a, 2.0)",
        "div-of-a-bool": "@div(p, 2)",
        "div-by-zero": "@div(a, 0)",
        "div-by-what-may-be-zero": "@div(a, s)",
        "div-by-unsigned": "@div(s, a)",
        "to-integer-of-a-bool": "@to_integer(p, 0, 1, 0)",
        "to-integer-with-a-real-low": "@to_integer(x, 0.0, 1, 0)",
        "to-integer-with-a-real-high": "@to_integer(x, 0, 1.0, 0)",
        "to-integer-with-nan": "@to_integer(x, 0, 1, nan)",
        "to-integer-with-a-symbol": "@to_integer(x, 0, a, 0)",
        "to-integer-with-low-above-high": "@to_integer(x, 2, 1, 0)",
        "index-real": "t[@x]",
        "index-literal-real": "t[@1.0]",
        "index-bool": "t[@p]",
        "index-quotient": "t[a @/ 2]",
        "index-named-real": "t[@k = x]",
        "else-of-another-type": "@t[a, else = true]",
        "else-number-for-bools": "where(@m[a, else = 0], 1, 2)",
        "bools-perhaps-outside": "where(@m[a], 1, 2)",
        "index-of-a-definition": "let u = t[0];\n@u[1]",
        "index-of-a-constant": "@pi[1]",
        "index-of-true": "@true[1]",
        "interp-of-a-bool": "@interp(p, t, t)",
        "interp-of-bools": "@interp(x, m, t)",
        "interp-of-literals": "@interp(x, 1.0, 2.0)",
        "interp-of-constants": "@interp(x, t, pi)",
        "poly-of-a-bool": "@poly(p, t)",
        "poly-with-bools": "@poly(x, m)",
        "poly-with-a-literal": "@poly(x, 2.0)",
        "poly-with-an-element": "@poly(x, 1 + t[0])",
        "first-of-two-faults": "(p @+ 1) * (p + 1)",
        "fault-inside-before-fault-outside": "@sqrt(p) + p",
        "operands-before-the-operator": "p + (1 @+ p)",
        "definitions-before-the-result": "let u = 1 @+ p;\nt[1.0]",
        "type-before-dimension-of-a-call": "@where(x, 1, 2) + q",
    }
    for name, text in faults.items():
        topic.refuses(name, text, "type", **given, q=symbol("float64", "j", [1.0]))
    return topic


def errors_arity() -> Topic:
    topic = Topic("errors_arity", "Too few and too many arguments of every function.")
    arity = {
        **dict.fromkeys(
            [
                "abs",
                "sqrt",
                "exp",
                "expm1",
                "log",
                "log1p",
                "log2",
                "log10",
                "sin",
                "cos",
                "tan",
                "asin",
                "acos",
                "atan",
                "sinh",
                "cosh",
                "tanh",
                "floor",
                "ceil",
                "round",
                "sign",
                "isnan",
                "isfinite",
            ],
            (1, 1),
        ),
        **dict.fromkeys(("atan2", "hypot", "mod", "div"), (2, 2)),
        "min": (2, None),
        "max": (2, None),
        "clip": (3, 3),
        "bits": (3, 3),
        "to_integer": (4, 4),
        "position": (1, 1),
        "where": (3, 3),
        "choose": (2, 65),
        "interp": (3, 3),
        "poly": (2, 2),
    }
    given = {"a": integers("uint8", [1]), "t": symbol("float64", "k", [1.0, 2.0])}
    tables = {"interp": ["a", "t", "t"], "poly": ["a", "t"]}
    for name, (fewest, most) in arity.items():
        arguments = tables.get(name, ["a"] * fewest)
        few = ", ".join(arguments[:-1])
        topic.refuses(f"{name}-too-few", f"a + @{name}({few})", "arity", **given)
        if fewest > 1:
            topic.refuses(f"{name}-none", f"a + @{name}()", "arity", **given)
        if most is not None:
            many = ", ".join([*arguments, *["a"] * (most + 1 - fewest)])
            topic.refuses(f"{name}-too-many", f"a + @{name}({many})", "arity", **given)
    topic.refuses("before-types", "@sqrt(true, true)", "arity", **given)
    topic.refuses("after-faults-of-arguments", "sqrt(a, true @+ 1)", "type", **given)
    topic.refuses("inner-call-first", "abs(@sqrt(), 1)", "arity", **given)
    return topic
