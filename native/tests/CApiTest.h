/* The tests in CApiTest.c, and what they need of the C++ side. Plain C. */
#ifndef CAPITEST_H
#define CAPITEST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each test returns null, or a sentence that says what failed. */
const char* CApiTest_Versions(void);
const char* CApiTest_BackendName(void);
const char* CApiTest_Defaults(void);
const char* CApiTest_ResultTexts(void);
const char* CApiTest_InvalidArguments(void);
const char* CApiTest_NotStarted(void);
const char* CApiTest_StartErrors(void);
const char* CApiTest_Echo(void);
const char* CApiTest_SmallBuffer(void);
const char* CApiTest_Submit(void);

/* A client: null when it cannot connect. Send and receive return 1 when all bytes were moved, otherwise 0. */
void* CApiTest_Connect(uint16_t port);
int CApiTest_Send(void* client, const void* data, uint32_t size);
int CApiTest_Receive(void* client, void* data, uint32_t size);
void CApiTest_Close(void* client);

#ifdef __cplusplus
}
#endif

#endif /* CAPITEST_H */
