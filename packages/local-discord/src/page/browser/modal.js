// A form opened by the bot, in a native dialog: focus stays inside and Escape closes it.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "./api.js";
import { Choice } from "./choice.js";
import { markdown } from "./markdown.js";

const ROW = 1;
const TEXT_INPUT = 4;
const TEXT_DISPLAY = 10;
const FILE_UPLOAD = 19;
const RADIO_GROUP = 21;
const CHECKBOX_GROUP = 22;
const CHECKBOX = 23;

/** The parts of a modal in order: texts, and inputs with labels, in the older or the newer format. */
const partsOf = (modal) =>
  modal.components.map((it) => {
    if (it.type === TEXT_DISPLAY) return { text: it.content };
    const input = it.type === ROW ? it.components[0] : it.component;
    return { input, label: it.label ?? input.label, hint: it.description };
  });

function initial(input) {
  const chosen = (input.options ?? []).filter((it) => it.default).map((it) => it.value);
  if (input.type === TEXT_INPUT) return input.value ?? "";
  if (input.type === CHECKBOX) return input.default === true;
  if (input.type === RADIO_GROUP) return chosen[0] ?? "";
  return input.default_values?.map((it) => it.id) ?? chosen;
}

/** `submit(inputs, files)`: values by custom id; a file input's value is { files: [n, …] } into `files`. */
export function Modal({ modal, submit, close, entities }) {
  const dialog = useRef(null);
  const parts = partsOf(modal);
  const inputs = parts.filter((it) => it.input).map((it) => it.input);
  const [values, setValues] = useState(() =>
    Object.fromEntries(inputs.map((it) => [it.custom_id, initial(it)])),
  );
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => dialog.current.showModal(), []);
  const send = async (event) => {
    event.preventDefault();
    const files = [];
    const body = {};
    for (const { custom_id: name, type } of inputs) {
      body[name] =
        type === FILE_UPLOAD ? { files: values[name].map((file) => files.push(file) - 1) } : values[name];
    }
    setBusy(true);
    try {
      await submit(body, files);
    } catch (problem) {
      setError(problem.message);
      setBusy(false);
    }
  };
  return html`<dialog ref=${dialog} class="modal" aria-labelledby="modal-title" onClose=${close}>
    <form onSubmit=${send}>
      <h2 id="modal-title">${modal.title}</h2>
      <div class="modal-body">
      ${parts.map((it, n) =>
        it.text === undefined
          ? html`<${Field} key=${it.input.custom_id} part=${it} n=${n} value=${values[it.input.custom_id]} entities=${entities}
              set=${(value) => setValues((all) => ({ ...all, [it.input.custom_id]: value }))} />`
          : html`<div class="text">${markdown(it.text, () => undefined)}</div>`,
      )}
      ${error && html`<p class="error" role="alert">${error}</p>`}
      </div>
      <div class="row end">
        <button type="button" class="button secondary" onClick=${() => dialog.current.close()}>Cancel</button>
        <button type="submit" class="button primary" disabled=${busy} aria-busy=${busy}>Submit</button>
      </div>
    </form>
  </dialog>`;
}

function Field({ part, n, value, set, entities }) {
  const { input: it, label, hint } = part;
  const id = `field-${n}`;
  const required = it.required !== false && it.type !== CHECKBOX;
  const title = html`${label}${required && html` <em aria-hidden="true">*</em>`}`;
  const small = hint && html`<small id=${`${id}-hint`}>${hint}</small>`;
  if (it.type === RADIO_GROUP || it.type === CHECKBOX_GROUP) {
    const many = it.type === CHECKBOX_GROUP;
    const toggle = (option) =>
      many
        ? set(value.includes(option) ? value.filter((one) => one !== option) : [...value, option])
        : set(option);
    return html`<fieldset class="field"><legend>${title}</legend>${small}
      ${it.options.map(
        (
          option,
        ) => html`<label class="tick"><input type=${many ? "checkbox" : "radio"} name=${it.custom_id} required=${!many && required}
        checked=${many ? value.includes(option.value) : value === option.value} onChange=${() => toggle(option.value)} />
        <span>${option.label}${option.description && html`<small>${option.description}</small>`}</span></label>`,
      )}</fieldset>`;
  }
  if (it.type === CHECKBOX)
    return html`<label class="tick field"><input type="checkbox" checked=${value} onChange=${(event) => set(event.currentTarget.checked)} /><span>${label}${small}</span></label>`;
  if (it.type === TEXT_INPUT || it.type === FILE_UPLOAD)
    return html`<div class="field"><label for=${id}>${title}</label>${small}<${TextOrFile} id=${id} input=${it} value=${value} set=${set} required=${required} /></div>`;
  const options = it.options ?? entities(it);
  return html`<div class="field"><span class="label">${title}</span>${small}
    <${Choice} options=${options} label=${label} placeholder=${it.placeholder ?? "Make a selection"} min=${it.min_values ?? 1} max=${it.max_values ?? 1} value=${value} onChoose=${set} /></div>`;
}

function TextOrFile({ id, input: it, value, set, required }) {
  if (it.type === FILE_UPLOAD)
    return html`<input id=${id} type="file" required=${required} multiple=${(it.max_values ?? 1) > 1} accept=${it.file_types?.map((type) => `.${type.replace(/^\./, "")}`).join(",")}
      onChange=${(event) => set([...event.currentTarget.files])} />`;
  const common = {
    id,
    required,
    minlength: it.min_length,
    maxlength: it.max_length ?? 4000,
    placeholder: it.placeholder ?? "",
    value,
    onInput: (event) => set(event.currentTarget.value),
  };
  return it.style === 2
    ? html`<textarea rows="5" ...${common}></textarea>`
    : html`<input type="text" ...${common} />`;
}
