"""What students read from the server, in their language."""

from streaming.protocol import ErrorCode

FALLBACK = "en"

ERRORS: dict[str, dict[ErrorCode, str]] = {
    "en": {
        ErrorCode.UNAUTHORIZED: "Please sign in again.",
        ErrorCode.TOKEN_EXPIRED: "Your session has expired. Please sign in again.",
        ErrorCode.INVALID_PAYLOAD: "This request could not be understood.",
        ErrorCode.UNKNOWN_EVENT: "This server does not know that request.",
        ErrorCode.QUESTION_EMPTY: "Please write a question first.",
        ErrorCode.QUESTION_TOO_LONG: "The question is too long: at most 2,000 characters.",
        ErrorCode.INVALID_POSITION: "That place is not in the explanation (yet).",
        ErrorCode.NO_ACTIVE_SESSION: "There is no explanation to do this with.",
        ErrorCode.RATE_LIMITED: "That was a lot at once. Please wait a moment.",
        ErrorCode.TOO_MANY_CONNECTIONS: "You are connected too many times. Please close another window.",
        ErrorCode.SERVER_BUSY: "Very many students are learning right now. Please try again shortly.",
        ErrorCode.INSUFFICIENT_CREDITS: "You have no credits left for a new explanation.",
        ErrorCode.AWAITING_REVIEW: "A teacher is still reviewing this answer.",
        ErrorCode.CONTENT_BLOCKED: "This question can't be answered here.",
        ErrorCode.AI_NOT_CONFIGURED: (
            "No answer to this question is stored. Arithmetic and equations always work;"
            " for everything else the server needs an OPENAI_API_KEY."
        ),
        ErrorCode.AI_UNAVAILABLE: "The explanation could not be finished. Please ask again in a moment.",
        ErrorCode.AI_TIMEOUT: "Making this explanation took too long. Please ask again.",
        ErrorCode.AI_REFUSED: "This question can't be explained here. Try to ask it differently.",
        ErrorCode.AI_INVALID_ANSWER: "No good explanation came of this. Please ask again.",
        ErrorCode.INTERNAL_ERROR: "Something went wrong on our side. Please try again.",
    },
    "es": {
        ErrorCode.UNAUTHORIZED: "Inicia sesión otra vez, por favor.",
        ErrorCode.TOKEN_EXPIRED: "Tu sesión ha caducado. Inicia sesión otra vez, por favor.",
        ErrorCode.INVALID_PAYLOAD: "No se pudo entender esta petición.",
        ErrorCode.UNKNOWN_EVENT: "Este servidor no conoce esa petición.",
        ErrorCode.QUESTION_EMPTY: "Escribe primero una pregunta.",
        ErrorCode.QUESTION_TOO_LONG: "La pregunta es demasiado larga: como mucho 2000 caracteres.",
        ErrorCode.INVALID_POSITION: "Ese lugar no está (todavía) en la explicación.",
        ErrorCode.NO_ACTIVE_SESSION: "No hay ninguna explicación con la que hacer eso.",
        ErrorCode.RATE_LIMITED: "Eso fue mucho de una vez. Espera un momento, por favor.",
        ErrorCode.TOO_MANY_CONNECTIONS: "Tienes demasiadas conexiones abiertas. Cierra otra ventana.",
        ErrorCode.SERVER_BUSY: "Hay muchísimos estudiantes ahora mismo. Inténtalo en un momento.",
        ErrorCode.INSUFFICIENT_CREDITS: "No te quedan créditos para una explicación nueva.",
        ErrorCode.AWAITING_REVIEW: "Un profesor todavía está revisando esta respuesta.",
        ErrorCode.CONTENT_BLOCKED: "Esta pregunta no se puede responder aquí.",
        ErrorCode.AI_NOT_CONFIGURED: (
            "No hay una respuesta guardada para esta pregunta. La aritmética y las ecuaciones siempre"
            " funcionan; para todo lo demás el servidor necesita una OPENAI_API_KEY."
        ),
        ErrorCode.AI_UNAVAILABLE: "No se pudo terminar la explicación. Pregunta otra vez en un momento.",
        ErrorCode.AI_TIMEOUT: "La explicación tardó demasiado en hacerse. Pregunta otra vez.",
        ErrorCode.AI_REFUSED: "Esta pregunta no se puede explicar aquí. Prueba a formularla de otra manera.",
        ErrorCode.AI_INVALID_ANSWER: "No salió una buena explicación. Pregunta otra vez.",
        ErrorCode.INTERNAL_ERROR: "Algo falló de nuestro lado. Inténtalo otra vez.",
    },
    "pt": {
        ErrorCode.UNAUTHORIZED: "Inicie a sessão outra vez, por favor.",
        ErrorCode.TOKEN_EXPIRED: "A sua sessão expirou. Inicie a sessão outra vez, por favor.",
        ErrorCode.INVALID_PAYLOAD: "Não foi possível entender este pedido.",
        ErrorCode.UNKNOWN_EVENT: "Este servidor não conhece esse pedido.",
        ErrorCode.QUESTION_EMPTY: "Escreva primeiro uma pergunta.",
        ErrorCode.QUESTION_TOO_LONG: "A pergunta é longa demais: no máximo 2000 caracteres.",
        ErrorCode.INVALID_POSITION: "Esse lugar (ainda) não está na explicação.",
        ErrorCode.NO_ACTIVE_SESSION: "Não há nenhuma explicação com a qual fazer isso.",
        ErrorCode.RATE_LIMITED: "Isso foi muito de uma vez. Espere um momento, por favor.",
        ErrorCode.TOO_MANY_CONNECTIONS: "Há ligações demais abertas em seu nome. Feche outra janela.",
        ErrorCode.SERVER_BUSY: "Há muitíssimos estudantes neste momento. Tente de novo daqui a pouco.",
        ErrorCode.INSUFFICIENT_CREDITS: "Já não tem créditos para uma explicação nova.",
        ErrorCode.AWAITING_REVIEW: "Um professor ainda está a rever esta resposta.",
        ErrorCode.CONTENT_BLOCKED: "Esta pergunta não pode ser respondida aqui.",
        ErrorCode.AI_NOT_CONFIGURED: (
            "Não há uma resposta guardada para esta pergunta. A aritmética e as equações funcionam sempre;"
            " para tudo o resto o servidor precisa de uma OPENAI_API_KEY."
        ),
        ErrorCode.AI_UNAVAILABLE: "Não foi possível terminar a explicação. Pergunte de novo daqui a pouco.",
        ErrorCode.AI_TIMEOUT: "Fazer esta explicação demorou demais. Pergunte de novo.",
        ErrorCode.AI_REFUSED: "Esta pergunta não pode ser explicada aqui. Tente formulá-la de outra maneira.",
        ErrorCode.AI_INVALID_ANSWER: "Não saiu uma boa explicação. Pergunte de novo.",
        ErrorCode.INTERNAL_ERROR: "Algo falhou do nosso lado. Tente outra vez.",
    },
}

PAUSED: dict[str, str] = {"en": "Paused.", "es": "En pausa.", "pt": "Em pausa."}

WAITING: dict[str, tuple[str, ...]] = {
    "en": (
        "Reading your question…",
        "Looking for the best way to explain it…",
        "Preparing the steps…",
        "Choosing an example…",
        "Almost there…",
    ),
    "es": (
        "Analizando tu pregunta…",
        "Buscando la mejor manera de explicarla…",
        "Preparando los pasos…",
        "Eligiendo un ejemplo…",
        "Ya casi está…",
    ),
    "pt": (
        "A ler a sua pergunta…",
        "À procura da melhor maneira de a explicar…",
        "A preparar os passos…",
        "A escolher um exemplo…",
        "Está quase…",
    ),
}


def error_message(code: str, language: str) -> str:
    return ERRORS.get(language, ERRORS[FALLBACK])[ErrorCode(code)]


def paused_message(language: str) -> str:
    return PAUSED.get(language, PAUSED[FALLBACK])


def waiting_message(turn: int, language: str) -> str:
    """Return the phrase of the `turn`-th time, from 0; after the last come the last two in turn."""
    phrases = WAITING.get(language, WAITING[FALLBACK])
    return phrases[turn] if turn < len(phrases) else phrases[-2 + (turn - len(phrases)) % 2]
