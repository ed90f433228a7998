import { AppError } from "../../shared/app-error.ts";

// Errors about what a caller sent, the same for every area. Codes and texts are those of the Atlas API error table.

export function missingAttribute(name: string): AppError {
  return new AppError("invalid", "MISSING_ATTRIBUTE", `The required attribute ${name} was not specified.`, {
    parameters: [name],
  });
}

export function invalidAttribute(name: string): AppError {
  return new AppError("invalid", "INVALID_ATTRIBUTE", `Invalid attribute ${name} specified.`, { parameters: [name] });
}

export function invalidEnumValue(value: string): AppError {
  return new AppError("invalid", "INVALID_ENUM_VALUE", `An invalid enumeration value ${value} was specified.`, {
    parameters: [value],
  });
}

export function invalidDateFormat(value: string): AppError {
  return new AppError("invalid", "INVALID_DATE_FORMAT", `An invalid date value ${value} was specified.`, {
    parameters: [value],
  });
}

/** `text` is a clause without the full stop. */
export function validationError(text: string): AppError {
  return new AppError("invalid", "VALIDATION_ERROR", `The request content produced the validation error: ${text}.`, {
    parameters: [text],
  });
}
