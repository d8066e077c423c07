"""Forms of the editor, one per kind of part: they check, `surveys.questionnaires.drafts` writes.

A text may be left open in a language: a draft may have gaps, and the page marks them. What would break the draft (a code
that is used before, bounds the wrong way round) is refused here, in a sentence.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from surveys.questionnaires import drafts
from surveys.questionnaires.checking import CODE, FARTHEST, LONGEST_TEXT, TAKEN, cleaned
from surveys.questionnaires.definition import CHOICE, MAX_POINTS, MIN_POINTS, NUMBER, TEXT
from surveys.questionnaires.drafts import Draft
from teams.base.written import Written
from teams.models.languages import language_codes, language_names

MOST_CHOICES = 40
EMPTY_ROWS = 3

code_is_good = RegexValidator(
    rf"^(?:{CODE.pattern})\Z", gettext_lazy("Begin with a letter; then at most 19 letters, digits and underscores.")
)
Row = tuple[str, list[forms.BoundField]]


def code_field(label: Any, help_text: Any = "") -> forms.CharField:
    attributes = {"autocomplete": "off", "spellcheck": "false", "class": "code-field"}
    return forms.CharField(
        label=label,
        max_length=20,
        validators=[code_is_good],
        help_text=help_text,
        widget=forms.TextInput(attrs=attributes),
    )


class PartForm(Written):
    """A form about one part of a draft, its texts in a field per language."""

    def __init__(self, data: Any, *, draft: Draft, part: str) -> None:
        super().__init__(data)
        self.draft, self.part = draft, part
        self.languages: list[str] = draft["languages"]
        self.titles: list[tuple[str, list[str]]] = []  # what stands in one row of the form
        self.now: dict[str, Any] = drafts.part_of(draft, part) or {}
        self.build()
        for field in self.fields.values():
            if isinstance(field.widget, forms.CheckboxSelectMultiple):
                continue
            kind = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
            if isinstance(field.widget, forms.CheckboxInput):
                kind = "form-check-input"
            field.widget.attrs["class"] = f"{field.widget.attrs.get('class', '')} {kind}".strip()
        first = next(field for name, field in self.fields.items() if name != "languages")
        first.widget.attrs["autofocus"] = True

    def build(self) -> None:
        """Make the fields; each part of a questionnaire has its own form."""
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        """The part as the draft holds it."""
        raise NotImplementedError

    def field(self, name: str, field: forms.Field, initial: Any = None) -> None:
        field.initial = initial
        self.fields[name] = field
        self.titles.append((str(field.label), [name]))

    def texts(self, name: str, label: Any, now: dict[str, str] | None, rows: int = 2, help_text: Any = "") -> None:
        names = []
        for at in self.languages:
            attributes = {"rows": rows, "lang": at}
            field = forms.CharField(
                label=f"{label} ({language_names()[at]})",
                required=False,
                max_length=LONGEST_TEXT,
                help_text=help_text,
                widget=forms.Textarea(attrs=attributes),
            )
            field.initial = (now or {}).get(at, "")
            self.fields[f"{name}_{at}"] = field
            names.append(f"{name}_{at}")
        self.titles.append((str(label), names))

    def text_of(self, name: str) -> dict[str, str]:
        """The text in each language; nothing where all are empty."""
        texts = {at: cleaned(self.cleaned_data.get(f"{name}_{at}") or "") for at in self.languages}
        return texts if any(texts.values()) else {}

    def rows(self) -> list[Row]:
        return [(title, [self[name] for name in names]) for title, names in self.titles]

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        old = self.part.partition(":")[2]
        if code.lower() in TAKEN:
            raise forms.ValidationError(_("The program itself uses this code: choose another one."))
        if code.lower() != old.lower() and code.lower() in drafts.codes_of(self.draft):
            raise forms.ValidationError(
                _("Another part of this questionnaire already has this code: choose another one.")
            )
        return code


class TextsForm(PartForm):
    def build(self) -> None:
        languages = forms.MultipleChoiceField(
            label=gettext_lazy("Languages"),
            choices=list(language_names().items()),
            widget=forms.CheckboxSelectMultiple,
            error_messages={"required": gettext_lazy("Choose at least one language.")},
        )
        self.field("languages", languages, self.languages)
        self.texts("title", _("Title"), self.now["title"], rows=1)
        note = _("Is this a validated questionnaire, or your own wording? Researchers see this.")
        self.texts("note", _("Where the words come from"), self.now["note"], help_text=note)
        self.texts("intro", _("Introduction"), self.now["intro"], rows=4)
        self.texts("consent", _("Consent"), self.now["consent"], rows=3, help_text=_("Shown next to the box to tick."))
        self.texts("thanks", _("Thanks"), self.now["thanks"], rows=3)

    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data["languages"]
        return {
            "languages": [at for at in dict.fromkeys([*self.languages, *language_codes()]) if at in chosen],
            **{name: self.text_of(name) for name in ("title", "note", "intro", "consent", "thanks")},
        }


class OptionsForm(PartForm):
    def build(self) -> None:
        help_text = _("One answer on each line, from disagree to agree; 2 to 11 lines.")
        lines = {
            at: "\n".join(o["text"].get(at, "") for o in self.now["options"]).rstrip("\n") for at in self.languages
        }
        self.texts("labels", _("Answers"), lines, rows=5, help_text=help_text)
        aside = _("Set apart from the scale, such as “I cannot judge”. Leave it empty to offer no such answer.")
        self.texts("cannot_judge", _("Cannot judge"), self.now["cannot_judge"], rows=1, help_text=aside)

    def lines(self, language: str) -> list[str]:
        text = cleaned(self.cleaned_data.get(f"labels_{language}") or "")
        return [line.strip() for line in text.split("\n")] if text else []

    def clean(self) -> dict[str, Any]:
        cleaned_data = super().clean() or self.cleaned_data
        counts = {at: len(self.lines(at)) for at in self.languages}
        if not any(counts.values()):
            self.add_error(f"labels_{self.languages[0]}", _("Write the answers, one on each line."))
        for at, count in counts.items():
            if count and not MIN_POINTS <= count <= MAX_POINTS:
                self.add_error(f"labels_{at}", _("An agreement scale has 2 to 11 answers; here are %d.") % count)
        if len({count for count in counts.values() if count}) > 1:
            self.add_error(f"labels_{self.languages[-1]}", _("Give the same number of answers in each language."))
        return cleaned_data

    def values(self) -> dict[str, Any]:
        lines = {at: self.lines(at) for at in self.languages}
        count = max(len(some) for some in lines.values())
        texts = [{at: some[n] if some else "" for at, some in lines.items()} for n in range(count)]
        options = [{"value": n, "text": text} for n, text in enumerate(texts, 1)]
        return {"options": options, "cannot_judge": self.text_of("cannot_judge") or None}


class ScaleForm(PartForm):
    def build(self) -> None:
        help_text = _("Short, such as GV. Its items can be GV1, GV2 and so on.")
        self.field("code", code_field(_("Code"), help_text), self.now.get("code", ""))
        self.texts("name", _("Name"), self.now.get("name"), rows=1)
        self.texts("meaning", _("Meaning, in plain words"), self.now.get("meaning"))

    def values(self) -> dict[str, Any]:
        return {
            "code": self.cleaned_data["code"],
            "name": self.text_of("name"),
            "meaning": self.text_of("meaning"),
        }


class ItemForm(PartForm):
    def __init__(self, data: Any, *, draft: Draft, part: str, scale: str) -> None:
        self.scale = scale
        super().__init__(data, draft=draft, part=part)

    def build(self) -> None:
        code = self.now.get("code") or drafts.next_code(self.draft, self.scale)
        help_text = _("With another code it counts as another item, including when versions are compared.")
        self.field("code", code_field(_("Code"), help_text), code)
        self.texts("text", _("Statement"), self.now.get("text"))
        reverse = forms.BooleanField(
            label=_("Reverse-keyed"),
            required=False,
            help_text=_("Agreeing means less of what the scale measures. The analysis reverses the answer."),
        )
        self.field("reverse_keyed", reverse, self.now.get("reverse_keyed", False))
        scales = [(scale["code"], scale["code"]) for scale in self.draft["scales"]]
        self.field("scale", forms.ChoiceField(label=_("Scale"), choices=scales), self.scale)

    def values(self) -> dict[str, Any]:
        return {
            "code": self.cleaned_data["code"],
            "text": self.text_of("text"),
            "reverse_keyed": self.cleaned_data["reverse_keyed"],
            "scale": self.cleaned_data["scale"],
        }


class _WithChoices(PartForm):
    """Rows of choices, a few empty ones at the end; a row that is emptied goes away."""

    with_eligible = False

    def choices(self) -> None:
        now = list(self.now.get("choices", ()))
        for n in range(min(max(len(now) + EMPTY_ROWS, 4), MOST_CHOICES)):
            choice = now[n] if n < len(now) else {}
            place = _("Choice %(n)s") % {"n": n + 1}
            code = code_field(_("%(choice)s: code") % {"choice": place})
            code.required = False
            names = [f"choice_{n}_code"]
            self.fields[names[0]] = code
            code.initial = choice.get("code", "")
            for at in self.languages:
                field = forms.CharField(
                    label=f"{place} ({language_names()[at]})",
                    required=False,
                    max_length=LONGEST_TEXT,
                    widget=forms.TextInput(attrs={"lang": at}),
                )
                field.initial = (choice.get("text") or {}).get(at, "")
                names.append(f"choice_{n}_{at}")
                self.fields[names[-1]] = field
            if self.with_eligible:
                eligible = forms.BooleanField(label=_("may take part"), required=False)
                eligible.initial = choice.get("eligible", n == 0)
                names.append(f"choice_{n}_eligible")
                self.fields[names[-1]] = eligible
            self.titles.append((place, names))

    def chosen(self) -> list[dict[str, Any]]:
        choices: list[dict[str, Any]] = []
        n = 0
        while f"choice_{n}_code" in self.fields:
            texts = {at: cleaned(self.cleaned_data.get(f"choice_{n}_{at}") or "") for at in self.languages}
            if any(texts.values()):
                code = self.cleaned_data.get(f"choice_{n}_code") or f"c{n + 1}"
                choice: dict[str, Any] = {"code": code, "text": texts}
                if self.with_eligible:
                    choice["eligible"] = bool(self.cleaned_data.get(f"choice_{n}_eligible"))
                choices.append(choice)
            n += 1
        return choices

    def clean(self) -> dict[str, Any]:
        cleaned_data = super().clean() or self.cleaned_data
        if "choice_0_code" in self.fields:
            codes = [choice["code"] for choice in self.chosen()]
            if len(codes) < 2:
                self.add_error(f"choice_0_{self.languages[0]}", _("Give at least two choices."))
            if len(set(codes)) < len(codes):
                self.add_error("choice_0_code", _("Two choices have the same code: change one of them."))
        return cleaned_data


class EligibilityForm(_WithChoices):
    with_eligible = True

    def build(self) -> None:
        help_text = _("Asked before everything else. Anyone who may not take part is thanked straight away.")
        self.texts("text", _("First question"), self.now.get("text"), help_text=help_text)
        self.choices()

    def clean(self) -> dict[str, Any]:
        cleaned_data = super().clean()
        eligible = {choice["eligible"] for choice in self.chosen()}
        if len(eligible) == 1:
            self.add_error(
                None, _("Tick at least one choice with which people may take part, and leave at least one unticked.")
            )
        return cleaned_data

    def values(self) -> dict[str, Any]:
        return {"text": self.text_of("text"), "choices": self.chosen()}


class QuestionForm(_WithChoices):
    def __init__(self, data: Any, *, draft: Draft, part: str, type: str = CHOICE) -> None:
        self.type = type
        super().__init__(data, draft=draft, part=part)

    def build(self) -> None:
        self.type = self.now.get("type", CHOICE) if self.now else self.type
        self.field(
            "code", code_field(_("Code"), _("It is the name of a column in the data.")), self.now.get("code", "")
        )
        warning = ""
        if self.type == TEXT:
            warning = _(
                "Below the question, teachers are told not to name people. You see the answers only after a review: "
                "one by one, without the other answers."
            )
        self.texts("text", _("Question"), self.now.get("text"), help_text=warning)
        if self.type == CHOICE:
            self.choices()
        if self.type == NUMBER:
            bounds: dict[str, Any] = {"min_value": -FARTHEST, "max_value": FARTHEST}
            self.field("minimum", forms.IntegerField(label=_("Lowest number"), **bounds), self.now.get("minimum", 0))
            self.field("maximum", forms.IntegerField(label=_("Highest number"), **bounds), self.now.get("maximum"))
            decimals = forms.BooleanField(label=_("Decimals are allowed"), required=False)
            self.field("decimals", decimals, self.now.get("decimals", False))

    def clean(self) -> dict[str, Any]:
        cleaned_data = super().clean()
        low, high = cleaned_data.get("minimum"), cleaned_data.get("maximum")
        if low is not None and high is not None and low >= high:
            self.add_error("maximum", _("The highest number must be above the lowest."))
        return cleaned_data

    def values(self) -> dict[str, Any]:
        question: dict[str, Any] = {"code": self.cleaned_data["code"], "text": self.text_of("text")}
        if self.type == CHOICE:  # as `checked` writes it: choices have no type
            return question | {"choices": self.chosen()}
        question["type"] = self.type
        if self.type == NUMBER:
            question |= {name: self.cleaned_data[name] for name in ("minimum", "maximum", "decimals")}
        return question


def form_for(draft: Draft, part: str, data: Any = None, adding: str = "") -> PartForm | None:
    """The form of a part that there is, or with ``adding`` (``scale``, ``item:GV``, ``question:number``) of a new one."""
    kind, _colon, more = (adding or part).partition(":")
    options: dict[str, Any] = {"draft": draft, "part": "" if adding else part}
    if kind in ("texts", "options") and not adding:
        return {"texts": TextsForm, "options": OptionsForm}[kind](data, **options)
    if kind == "eligibility":
        return EligibilityForm(data, draft=draft, part="eligibility")
    if not adding and drafts.part_of(draft, part) is None:
        return None
    if kind == "scale":
        return ScaleForm(data, **options)
    if kind == "item":
        scale = more if adding else _scale_of(draft, more)
        known = [row["code"] for row in draft["scales"]]
        return ItemForm(data, **options, scale=scale) if scale in known else None
    if kind == "question" and (not adding or more in (CHOICE, NUMBER, TEXT)):
        return QuestionForm(data, **options, type=more if adding else CHOICE)
    return None


def _scale_of(draft: Draft, item: str) -> str:
    return next((s["code"] for s in draft["scales"] if any(i["code"] == item for i in s["items"])), "")
