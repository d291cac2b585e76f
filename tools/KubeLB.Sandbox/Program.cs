using KubeLB.Sandbox.Commands;

return await SandboxProgram.RunAsync(args);
