"""The coroutine law: co_await stands only in forms that g++ 12.2 compiles correctly.

The forms are `co_await x;`, `auto r = co_await x;` (or another declaration with =), `r = co_await x;` and
`co_return co_await x;`, where x holds no brace and no bracket. No capturing lambda is itself a coroutine, co_await never
stands inside a test or assertion macro, and await_suspend returns void or bool, never a coroutine to jump to.
What g++ 12.2 makes of the other forms stands in the fixtures, one for each row of the table in tests/README.md.
"""

import re
import sys

import tree

AWAIT = re.compile(r"(?<!operator )\bco_await\b")
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
COROUTINE_WORD = re.compile(r"(?<!operator )\bco_(?:await|return|yield)\b")
MACRO = re.compile(r"\b(?:BOOST_[A-Z_]+|[A-Z]+_ASSERT)\s*(?=\()")

# What may stand between the start of the statement and co_await, its labels and control headers taken off.
DECLARATION_OR_ASSIGNMENT = re.compile(r"(?:\[\[[^\]]*\]\]\s*)*\*?[A-Za-z_](?:[\w:<>,.&*\s]|->)*(?<=\w)\s*=")
RETURN = re.compile(r"co_return")
# An operand without its argument lists: names joined by ::, . and ->, perhaps dereferenced.
OPERAND = re.compile(r"[*&]?\s*(?:\w|::|\.|->|\(\)|\s)+")
OPERATOR_WORDS = re.compile(r"\b(?:and|or|not|xor|bitand|bitor|not_eq|new|delete|throw|sizeof|co_yield|co_return)\b")

OPENING = {")": "(", "]": "[", "}": "{"}
FORMS = "expected one of `co_await x;`, `auto r = co_await x;`, `r = co_await x;`, `co_return co_await x;`"


def matching(code, position):
    """The position of the bracket that closes the one at `position`, or the end."""
    depth = 0
    for place in range(position, len(code)):
        if code[place] in "([{":
            depth += 1
        elif code[place] in ")]}":
            depth -= 1
            if depth == 0:
                return place
    return len(code) - 1


def statement_start(code, position):
    """Where the statement that holds `position` starts: behind the nearest ; { or } that is not inside brackets. If
    it stands in an open parenthesis, that belongs to the statement."""
    depth = 0
    for place in range(position - 1, -1, -1):
        char = code[place]
        if char in ")]":
            depth += 1
        elif char in "([":
            depth = max(depth - 1, 0)
        elif char == "}" and depth > 0:
            depth += 1
        elif char == "{" and depth > 0:
            depth -= 1
        elif char in ";{}" and depth == 0:
            return place + 1
    return 0


def without_headers(prefix):
    """The start of a statement without labels, else, do, and the headers of if, for, while and switch."""
    while True:
        prefix = prefix.strip()
        label = re.match(r"(?:case\b(?:[^?:]|::)*|default\s*|[A-Za-z_]\w*\s*):(?!:)", prefix)
        word = re.match(r"(?:else|do)\b|\[\[(?:un)?likely\]\]", prefix)
        header = re.match(r"(?:if(?:\s+constexpr)?|for|while|switch)\s*(?=\()", prefix)
        if label or word:
            prefix = prefix[(label or word).end():]
        elif header and matching(prefix, header.end()) < len(prefix) - 1:
            prefix = prefix[matching(prefix, header.end()) + 1:]
        elif header and prefix.endswith(")") and matching(prefix, header.end()) == len(prefix) - 1 and balanced(prefix):
            prefix = ""
        else:
            return prefix


def balanced(text):
    return text.count("(") == text.count(")")


def without_arguments(operand):
    """The operand with each argument list as () and without template arguments; None if brackets do not match."""
    text, place = "", 0
    while place < len(operand):
        if operand[place] == "(":
            end = matching(operand, place)
            text += "()"
            place = end + 1
        else:
            text += operand[place]
            place += 1
    arguments = re.compile(r"(?<=\w)\s*<[\w\s:,.*&()]*>")
    while arguments.search(text):
        text = arguments.sub("", text)
    return text.strip()


def judge_await(code, position):
    """The complaint about the co_await at `position`, or None."""
    prefix = without_headers(code[statement_start(code, position):position]).replace("decltype(auto)", "auto")
    place, depth = position + len("co_await"), 0
    while place < len(code):
        char = code[place]
        if char in "{[":
            return f"a '{char}' in the operand of co_await: name what it makes first, in a statement of its own"
        if char == "(":
            depth += 1
        elif char in ")}]":
            if depth == 0:
                return f"co_await inside a larger expression: {FORMS}"
            depth -= 1
        elif char == ";" and depth == 0:
            break
        place += 1
    if prefix and not RETURN.fullmatch(prefix) and not DECLARATION_OR_ASSIGNMENT.fullmatch(prefix):
        return f"co_await after '{' '.join(prefix.split())[-40:]}': {FORMS}"
    operand = without_arguments(code[position + len("co_await"):place])
    if not OPERAND.fullmatch(operand) or OPERATOR_WORDS.search(operand):
        return f"an operator beside co_await: {FORMS}"
    return None


def lambdas(code):
    """Each lambda as (position, capture list, (start, end) of the body)."""
    for match in re.finditer(r"\[", code):
        start = match.start()
        if code.startswith("[[", start) or code[start - 1:start] == "[":
            continue
        before = re.search(r"(\w+|\S)\s*$", code[:start])
        word = before[1] if before else ""
        keyword = word in ("return", "co_return", "co_await", "co_yield", "case", "else", "do", "and", "or", "not", "in")
        if word in ("auto", "operator") or (word and (word[-1].isalnum() or word[-1] in "_)]&") and not keyword
                                            and not (word == "&" and not re.search(r"\bauto\s*&+\s*$", code[:start]))):
            continue  # a subscript, a declarator or a structured binding
        end = matching(code, start)
        captures = code[start + 1:end].strip()
        rest = re.compile(r"\s*").match(code, end + 1).end()
        if code[rest:rest + 1] == "<":
            rest = code.find(">", rest) + 1
            while rest and rest < len(code) and code[rest].isspace():
                rest += 1
        if code[rest:rest + 1] == "(":
            rest = matching(code, rest) + 1
        elif not re.match(r"\{|->|mutable\b|noexcept\b|constexpr\b|static\b|requires\b", code[rest:rest + 10]):
            continue
        body = re.compile(r"[^;{}]*?\{").match(code, rest)
        if body:
            opening = body.end() - 1
            yield start, captures, (opening, matching(code, opening))


def check_lambdas(code):
    every = list(lambdas(code))
    for start, captures, (opening, closing) in every:
        if not captures:
            continue
        body = code[opening:closing + 1]
        for _, _, (inner, inner_end) in every:
            if opening < inner and inner_end < closing:
                body = body[:inner - opening] + " " * (inner_end + 1 - inner) + body[inner_end + 1 - opening:]
        if COROUTINE_WORD.search(body):
            yield start, (f"a capturing lambda [{captures}] is a coroutine: its captures die with the lambda; "
                          "pass parameters by value")


def check_macros(code):
    for match in MACRO.finditer(code):
        arguments = code[match.end():matching(code, match.end()) + 1]
        for word in AWAIT.finditer(arguments):
            yield match.end() + word.start(), f"co_await inside {match[0].strip()}: await into a variable first"


def check_await_suspend(code):
    for match in re.finditer(r"([\w:<>\s,*&]*?)\bawait_suspend\s*(?=\()", code):
        after = code[matching(code, match.end()) + 1:]
        trailing = re.match(r"[\sa-z()]*->\s*([\w:]+)", after)
        before = code[statement_start(code, match.end() - 1):match.end()]
        if re.search(r"(?:(?:\.|->)\s*|\breturn\s+)await_suspend\s*$", before) or "=" in before:
            continue  # a call, not a declaration
        words = re.sub(r"\b(?:public|private|protected)\s*:(?!:)|\[\[[^\]]*\]\]|\b(?:inline|constexpr|static|template)\b", " ",
                       before[:before.rindex("await_suspend")])
        result = trailing[1] if trailing else " ".join(re.sub(r"<.*>", "", words).replace("<", " ").split()[-1:])
        if result.split("::")[-1] not in ("void", "bool") and not result == "":
            yield match.start(0) + match[0].index("await_suspend"), (
                f"await_suspend returns '{result}': expected void or bool, symmetric transfer overflows the stack below -O2")


def check_text(source):
    code = tree.strip_literals(source)
    for directive in DIRECTIVE.finditer(code):
        for word in AWAIT.finditer(directive[0]):
            yield directive.start() + word.start(), "co_await inside a macro definition: write a function"
    code = DIRECTIVE.sub(lambda m: tree.blank(m[0]), code)
    in_macros = dict(check_macros(code))
    yield from in_macros.items()
    for match in AWAIT.finditer(code):
        complaint = judge_await(code, match.start())
        if complaint and match.start() not in in_macros:
            yield match.start(), complaint
    yield from check_lambdas(code)
    yield from check_await_suspend(code)


def check(root, files):
    return [tree.Finding(path, tree.line_of(source, position), message)
            for path in files if path.endswith((".hpp", ".cpp"))
            for source in [tree.read(root, path)]
            if "await" in source or "co_return" in source or "co_yield" in source
            for position, message in check_text(source)]


if __name__ == "__main__":
    sys.exit(tree.main(__doc__, check))
