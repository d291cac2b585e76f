using KubeLB.Ccm.Hosting;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Hosting;

var command = new CcmCommand();
return await ControllerProgram.RunAsync(
    command.Build(),
    BuildVersion.FromAssembly(typeof(CcmCommand).Assembly),
    args,
    parsed =>
    {
        var options = command.Options(parsed);
        return CcmHost.Build(options, CcmConnections.FromKubeconfigs(options));
    }
);
