import { useEffect, useState } from 'react';
import io from 'socket.io-client';

function QuestionInterface() {
    const [socket, setSocket] = useState(null);
    const [steps, setSteps] = useState([]);
    const [isStreaming, setIsStreaming] = useState(false);
    const [isPaused, setIsPaused] = useState(false);
    
    useEffect(() => {
        const newSocket = io('http://localhost:5000');
        setSocket(newSocket);
        
        // Eventos
        newSocket.on('explanation_start', (data) => {
            setSteps([]);
            setIsStreaming(true);
        });
        
        newSocket.on('step_start', (data) => {
            setSteps(prev => [...prev, {
                step: data.step,
                title: data.title,
                type: data.type,
                content: ''
            }]);
        });
        
        newSocket.on('content_chunk', (data) => {
            setSteps(prev => prev.map(step => 
                step.step === data.step
                    ? { ...step, content: step.content + data.chunk }
                    : step
            ));
        });
        
        newSocket.on('explanation_complete', () => {
            setIsStreaming(false);
        });
        
        newSocket.on('streaming_paused', () => {
            setIsPaused(true);
        });
        
        newSocket.on('streaming_resumed', () => {
            setIsPaused(false);
        });
        
        return () => newSocket.close();
    }, []);
    
    const askQuestion = (question) => {
        const token = localStorage.getItem('jwt_token');
        socket.emit('ask_question', {
            token,
            question,
            context: { subject: 'física' }
        });
    };
    
    const pause = () => {
        const token = localStorage.getItem('jwt_token');
        socket.emit('pause_explanation', { token });
    };
    
    const resume = () => {
        const token = localStorage.getItem('jwt_token');
        socket.emit('resume_explanation', { token });
    };
    
    return (
        <div>
            <input 
                type="text" 
                onKeyPress={(e) => {
                    if (e.key === 'Enter') askQuestion(e.target.value);
                }}
            />
            
            {isStreaming && (
                <button onClick={isPaused ? resume : pause}>
                    {isPaused ? 'Reanudar' : 'Pausar'}
                </button>
            )}
            
            {steps.map(step => (
                <div key={step.step}>
                    <h3>{step.title}</h3>
                    <p>{step.content}</p>
                </div>
            ))}
        </div>
    );
}
