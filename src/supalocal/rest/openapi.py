"""The OpenAPI 2.0 document at the root: every table and function with the methods it takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from supalocal.rest.schema import Function, Schema, Table

_NUMBERS = {"smallint", "integer", "bigint"}


def openapi_document(schema: Schema, exposed: str) -> bytes:
    """The document for one exposed schema, as JSON."""
    tables = [table for name, table in schema.tables.items() if name.schema == exposed]
    functions = [function for name, found in schema.functions.items() if name.schema == exposed for function in found]
    document = {
        "swagger": "2.0",
        "info": {"title": "supalocal", "description": "", "version": "14"},
        "basePath": "/",
        "schemes": ["http"],
        "consumes": ["application/json", "text/csv"],
        "produces": ["application/json", "text/csv", "application/vnd.pgrst.object+json"],
        "paths": {
            **{f"/{table.name.name}": _table_path(table) for table in tables},
            **{f"/rpc/{function.name.name}": _function_path(function) for function in functions},
        },
        "definitions": {table.name.name: _definition(table) for table in tables},
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _table_path(table: Table) -> dict[str, Any]:
    row = {"$ref": f"#/definitions/{table.name.name}"}
    rows = {"200": {"description": "OK", "schema": {"type": "array", "items": row}}}
    methods: dict[str, Any] = {"get": {"tags": [table.name.name], "responses": rows}}
    allowed = {"post": table.insertable, "patch": table.updatable, "delete": table.deletable}
    for method in (method for method, is_allowed in allowed.items() if is_allowed):
        methods[method] = {"tags": [table.name.name], "responses": {"200": {"description": "OK"}}}
    return methods


def _function_path(function: Function) -> dict[str, Any]:
    properties = {parameter.name: _property(parameter.type) for parameter in function.parameters}
    required = [parameter.name for parameter in function.parameters if parameter.required]
    body: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        body["required"] = required
    call = {
        "tags": [f"(rpc) {function.name.name}"],
        "parameters": [{"name": "args", "in": "body", "required": bool(required), "schema": body}],
        "responses": {"200": {"description": "OK"}},
    }
    return {"post": call}


def _definition(table: Table) -> dict[str, Any]:
    return {"type": "object", "properties": {name: _property(column.type) for name, column in table.columns.items()}}


def _property(kind: str) -> dict[str, Any]:
    if kind.endswith("[]"):
        return {"type": "array", "format": kind, "items": _property(kind.removesuffix("[]"))}
    if kind in _NUMBERS:
        return {"type": "integer", "format": kind}
    if kind == "boolean":
        return {"type": "boolean", "format": kind}
    is_number = kind.startswith("numeric") or kind in {"real", "double precision"}
    return {"type": "number" if is_number else "string", "format": kind}
