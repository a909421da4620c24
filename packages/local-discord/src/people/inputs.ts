import { type ApiComponent, type ApiModal, ComponentType } from "../protocol/types.js";
import { type FileInput, InvocationError, isFile, type Resolved, requireFileType } from "./options.js";

/** Values for a modal's inputs by custom id or label: text, a checked box, chosen values, or files. */
export type ModalInputs = Readonly<
  Record<string, string | boolean | readonly string[] | readonly FileInput[]>
>;

/**
 * Fills in the components of a modal's submission, checking each input as Discord's client does.
 * @throws InvocationError naming the input
 */
export function fillModal(
  modal: ApiModal,
  inputs: ModalInputs,
  resolved: Resolved,
): Record<string, unknown>[] {
  const known = new Set<string>();
  const components = modal.components.map((it) => fillPart(it, inputs, resolved, known));
  for (const name of Object.keys(inputs)) {
    if (!known.has(name)) throw new InvocationError(`The modal has no input "${name}"`, name);
  }
  return components;
}

/** Checks the number of values and that each is offered; resolves entities. */
export function chooseValues(
  component: ApiComponent,
  values: readonly string[],
  resolved: Resolved,
): string[] {
  const field = component.custom_id ?? "";
  const min = component.min_values ?? 1;
  const max = component.max_values ?? 1;
  if (values.length < min || values.length > max) {
    throw new InvocationError(
      `Choose ${min === max ? min : `${min} to ${max}`}, not ${values.length}`,
      field,
    );
  }
  return values.map((value) => {
    switch (component.type) {
      case ComponentType.stringSelect:
      case ComponentType.checkboxGroup:
        return optionOf(component, value, field);
      case ComponentType.userSelect:
        return resolved.user(value, field);
      case ComponentType.roleSelect:
        return resolved.role(value, field);
      case ComponentType.channelSelect:
        return resolved.channelOption(value, field, component.channel_types);
      case ComponentType.mentionableSelect:
        return resolved.mentionable(value, field);
      default:
        throw new InvocationError("This component offers no choice", field);
    }
  });
}

function optionOf(component: ApiComponent, value: string, field: string): string {
  const option =
    component.options?.find((it) => it.value === value) ??
    component.options?.find((it) => it.label === value);
  if (option === undefined) throw new InvocationError(`The select does not offer "${value}"`, field);
  return option.value;
}

function fillPart(
  component: ApiComponent,
  inputs: ModalInputs,
  resolved: Resolved,
  known: Set<string>,
): Record<string, unknown> {
  const { type, id } = component;
  if (type === ComponentType.actionRow) {
    return {
      type,
      id,
      components: (component.components ?? []).map((it) => fillInput(it, it.label, inputs, resolved, known)),
    };
  }
  if (type === ComponentType.label && component.component !== undefined) {
    return { type, id, component: fillInput(component.component, component.label, inputs, resolved, known) };
  }
  return { type, id };
}

function fillInput(
  component: ApiComponent,
  label: string | undefined,
  inputs: ModalInputs,
  resolved: Resolved,
  known: Set<string>,
): Record<string, unknown> {
  const { type, id, custom_id: customId = "" } = component;
  const name = customId in inputs ? customId : label !== undefined && label in inputs ? label : null;
  if (name !== null) known.add(name);
  const given = name === null ? undefined : inputs[name];
  const field = label ?? customId;
  const required = component.required !== false;
  const common = { type, id, custom_id: customId };
  if (type === ComponentType.textInput) {
    const value = given === undefined ? (component.value ?? "") : String(given);
    if (required && value.length === 0) throw new InvocationError(`"${field}" is required`, customId);
    const max = component.max_length ?? 4000;
    const min = component.min_length ?? 0;
    if (value.length > max)
      throw new InvocationError(`"${field}" must be ${max} or fewer in length`, customId);
    if (value.length > 0 && value.length < min)
      throw new InvocationError(`"${field}" must be ${min} or more in length`, customId);
    return { ...common, value };
  }
  if (type === ComponentType.checkbox) {
    return { ...common, value: given === undefined ? component.default === true : String(given) === "true" };
  }
  if (type === ComponentType.radioGroup) {
    const preset = component.options?.find((it) => it.default === true)?.value;
    const value = given === undefined || given === "" ? preset : [given].flat().map(String)[0];
    if (value === undefined && required) throw new InvocationError(`"${field}" is required`, customId);
    return { ...common, value: value === undefined ? null : optionOf(component, value, customId) };
  }
  const list = given === undefined || given === "" ? [] : [given].flat();
  if (list.length === 0 && required) throw new InvocationError(`"${field}" is required`, customId);
  if (list.length === 0) return { ...common, values: [] };
  if (type === ComponentType.fileUpload) {
    const max = component.max_values ?? 1;
    if (list.length > max) throw new InvocationError(`"${field}" takes at most ${max} files`, customId);
    if (list.length < (component.min_values ?? 1))
      throw new InvocationError(`"${field}" takes at least ${component.min_values} files`, customId);
    return {
      ...common,
      values: list.map((file) => {
        if (!isFile(file)) throw new InvocationError(`"${field}" takes files`, customId);
        requireFileType(file, component.file_types, customId);
        return resolved.attachment(file, customId);
      }),
    };
  }
  const bounds =
    type === ComponentType.checkboxGroup
      ? { ...component, max_values: component.max_values ?? component.options?.length ?? 1 }
      : component;
  return { ...common, values: chooseValues(bounds, list.map(String), resolved) };
}
