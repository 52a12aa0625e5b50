import io from 'socket.io-client';

// Conectar
const socket = io('http://localhost:5000');

// Hacer pregunta
function askQuestion(question, context = {}) {
    const token = localStorage.getItem('jwt_token');
    
    socket.emit('ask_question', {
        token: token,
        question: question,
        context: context
    });
}

// Escuchar eventos
socket.on('waiting_phrase', (data) => {
    showLoadingMessage(data.message);
});

socket.on('explanation_start', (data) => {
    initializeExplanation(data.total_steps, data.estimated_duration);
});

socket.on('step_start', (data) => {
    createStepContainer(data.step, data.title, data.type);
});

socket.on('content_chunk', (data) => {
    appendChunkToStep(data.step, data.chunk);
    
    if (data.is_final) {
        finalizeStepContent(data.step);
    }
});

socket.on('canvas_command', (data) => {
    executeCanvasCommand(data.step, data.command);
});

socket.on('step_complete', (data) => {
    markStepComplete(data.step);
});

socket.on('explanation_complete', (data) => {
    showCompletionMessage(data.total_duration);
});

// Pausar
function pauseExplanation() {
    const token = localStorage.getItem('jwt_token');
    socket.emit('pause_explanation', { token });
}

// Reanudar
function resumeExplanation() {
    const token = localStorage.getItem('jwt_token');
    socket.emit('resume_explanation', { token });
}

socket.on('streaming_paused', (data) => {
    showPauseButton(false);
    showResumeButton(true);
});

socket.on('streaming_resumed', (data) => {
    showPauseButton(true);
    showResumeButton(false);
});

socket.on('error', (data) => {
    showError(data.code, data.message);
});
