using KubeLB.Ccm.CommandLine;
using KubeLB.Ccm.Hosting;
using KubeLB.Runtime.CommandLine;

var command = new CcmCommand();
return await ControllerProgram.RunAsync(command.Build(), args, parsed =>
{
    var options = command.Options(parsed);
    return CcmHost.Build(options, CcmConnections.FromKubeconfigs(options));
});
