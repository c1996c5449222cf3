"""POST render-config: the peering configuration of a device, or of chosen sessions."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError
from rest_framework.status import HTTP_422_UNPROCESSABLE_ENTITY
from rest_framework.views import APIView

from netbox.api.authentication import TokenWritePermission
from netbox.api.renderers import TextRenderer

from ...exceptions import RenderingRefused, SecretError, TemplateFailed
from ...services.rendering.peering import Rendered, render_peering
from ..serializers.rendering import (
    PeeringRenderErrorSerializer,
    PeeringRenderInputSerializer,
    RenderedPeeringSerializer,
)

__all__ = ("RenderConfigView",)


class ConfigurationRenderer(TextRenderer):
    """The bare text; an error as lines of "field: message"."""

    def render(self, data, accepted_media_type=None, renderer_context=None) -> str:
        if not isinstance(data, dict):
            return "" if data is None else str(data)
        return "".join(f"{field}: {_flat(messages)}\n" for field, messages in data.items())


def _flat(messages) -> str:
    if isinstance(messages, dict):
        return " ".join(_flat(inner) for inner in messages.values())
    if isinstance(messages, list):
        return " ".join(_flat(inner) for inner in messages)
    return str(messages)


class RenderConfigView(APIView):
    """
    Render a config template over peering sessions. Changes nothing; a POST because of its body, as in NetBox
    itself.

    Needs a token with write ability, `render` and `view` on the template, `view` on the device and on the
    sessions. Passwords are masked without `view_session_secrets` on their session.
    """

    permission_classes = [TokenWritePermission]
    renderer_classes = [JSONRenderer, ConfigurationRenderer]

    @extend_schema(
        operation_id="peering_manager_render_config",
        request=PeeringRenderInputSerializer,
        parameters=[OpenApiParameter("include_context", bool, description="As in the body")],
        responses={
            200: OpenApiResponse(
                RenderedPeeringSerializer, description="With Accept: text/plain the bare text instead."
            ),
            400: OpenApiResponse(
                OpenApiTypes.OBJECT, description="What is wrong with which field. Nothing was rendered."
            ),
            422: OpenApiResponse(
                PeeringRenderErrorSerializer, description="The template failed. There is no partial text."
            ),
        },
    )
    def post(self, request: Request) -> Response:
        wanted = self._wanted(request)
        device = wanted.get("device")
        try:
            rendered = render_peering(
                wanted["template"],
                device=device.pk if device else None,
                sessions=wanted.get("sessions"),
                user=request.user,
            )
        except RenderingRefused as error:
            raise ValidationError(error.errors) from error
        except SecretError as error:
            return Response({"detail": str(error)}, status=HTTP_422_UNPROCESSABLE_ENTITY)
        except TemplateFailed as error:
            return Response(_failure(error), status=HTTP_422_UNPROCESSABLE_ENTITY)
        if request.accepted_renderer.format == "txt":
            return Response(rendered.content)
        return Response(self._answer(wanted, rendered))

    def finalize_response(self, request: Request, response: Response, *args, **kwargs) -> Response:
        # Whatever the answer, it may hold passwords.
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def _wanted(self, request: Request) -> dict:
        data = request.data
        if isinstance(data, dict) and "include_context" in request.query_params:
            data = {"include_context": request.query_params["include_context"], **data}
        serializer = PeeringRenderInputSerializer(data=data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def _answer(self, wanted: dict, rendered: Rendered) -> dict:
        answer = {
            "configtemplate": wanted["template"],
            "content": rendered.content,
            "device": wanted.get("device"),
            "session_count": rendered.session_count,
            "secrets": rendered.secrets,
        }
        if wanted["include_context"]:
            answer["context"] = rendered.context
        return RenderedPeeringSerializer(answer, context={"request": self.request}).data


def _failure(error: TemplateFailed) -> dict:
    return {"detail": str(error), "template": error.template, "line": error.line, "message": error.message}
