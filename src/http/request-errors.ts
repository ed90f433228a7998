import { AppError } from "../shared/app-error.ts";

/** Errors of a request's form; codes and texts are those of the API's table. */

export function invalidVersionDate(): AppError {
  return new AppError("not_acceptable", "INVALID_VERSION_DATE", "Invalid accept header or version date.");
}

export function invalidQueryParameter(name: string): AppError {
  return new AppError("invalid", "INVALID_QUERY_PARAMETER", `Invalid query parameter ${name} specified.`, {
    parameters: [name],
  });
}

export function missingQueryParameter(name: string): AppError {
  return new AppError("invalid", "MISSING_QUERY_PARAMETER", `The required query parameter ${name} was not specified.`, {
    parameters: [name],
  });
}

export function invalidPathParameter(name: string): AppError {
  return new AppError("invalid", "INVALID_PATH_PARAMETER", `Invalid path parameter ${name} specified.`, {
    parameters: [name],
  });
}

export function malformedJson(): AppError {
  return new AppError("invalid", "MALFORMED_JSON", "Received JSON is malformed.");
}

export function invalidJson(): AppError {
  return new AppError("invalid", "INVALID_JSON", "Received JSON does not match expected format.");
}

export function invalidJsonAttribute(attribute: string): AppError {
  return new AppError(
    "invalid",
    "INVALID_JSON_ATTRIBUTE",
    `Received JSON for the ${attribute} attribute does not match expected format.`,
    {
      parameters: [attribute],
    },
  );
}

export function missingAttribute(attribute: string): AppError {
  return new AppError("invalid", "MISSING_ATTRIBUTE", `The required attribute ${attribute} was not specified.`, {
    parameters: [attribute],
  });
}

export function invalidAttribute(attribute: string): AppError {
  return new AppError("invalid", "INVALID_ATTRIBUTE", `Invalid attribute ${attribute} specified.`, {
    parameters: [attribute],
  });
}

export function invalidEnumValue(value: string): AppError {
  return new AppError("invalid", "INVALID_ENUM_VALUE", `An invalid enumeration value ${value} was specified.`, {
    parameters: [value],
  });
}

export function resourceNotFound(path: string): AppError {
  return new AppError("not_found", "RESOURCE_NOT_FOUND", `Cannot find resource ${path}.`, { parameters: [path] });
}
